#pragma once
// `tailrace tokens`: who may write to a channel, and under which name.

#include <nlohmann/json.hpp>
#include <string>

namespace tailrace {

int run_tokens(int argc, char** argv);

/// Enough of a secret to tell it from others: `t.8d3fd2f0…`.
std::string shortened(const std::string& secret);

/// The line that sends a first record as this token to the server at `url`.
std::string first_record(const std::string& url, const std::string& token);

}  // namespace tailrace
