#pragma once
// Figures of `top` in few columns.

#include <optional>
#include <string>

#include "base/clock.h"

namespace tailrace {

/// `0`, `0.25`, `12.5`, `1234`, `12.3k`, `4.5M`; `-` if there is none.
std::string figure(std::optional<double> value);
std::string figure(uint64_t value);
/// Seconds as `850us`, `12ms`, `1.2s`, `31s`; `-` if there are none.
std::string time_figure(std::optional<double> seconds);
/// `0.5%`
std::string share_figure(std::optional<double> share);
/// How long ago: `5s`, `12m`, `3h`, `4d`; empty if it never was.
std::string age_figure(Micros since, Micros now);

}  // namespace tailrace
