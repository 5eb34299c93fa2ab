#pragma once
// What the API says of drains, in words for people. What it quotes of far ends cannot drive a terminal.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/clock.h"

namespace tailrace {

/// One line a drain, under a heading. `drains`: as the list gives them, each with its `health` if that is
/// known.
std::string drain_table(const nlohmann::ordered_json& drains, Micros now);

/// How it is, why, since when, what it costs, and what to do about it. `resume`: the command that resumes it.
std::string health_words(const nlohmann::ordered_json& health, const std::string& resume, Micros now);

/// A line for each step of a test.
std::string test_words(const nlohmann::ordered_json& test);

}  // namespace tailrace
