#pragma once
// Numbers as they stand in log lines: `8ms`, `30000ms`, `1`, `5613`, `1.5e3us`.

#include <string_view>

namespace tailrace {

/// What a value that is not there, or not a number, looks like; real ones are never negative.
inline constexpr double kAbsent = -1;
/// Larger ones are absent too: up to here whole numbers are exact, and no sum of them can become infinite.
inline constexpr double kLargestQuantity = 9007199254740992;  // 2^53

/// All of `text`: a decimal of the form `8`, `8.5`, `.5` or `8e3`, then `us`, `ms`, `s` or nothing, which
/// means ms. In seconds. kAbsent if it is empty, signed, NaN or anything else.
double parse_seconds(std::string_view text);

/// The same without a unit.
double parse_plain(std::string_view text);

}  // namespace tailrace
