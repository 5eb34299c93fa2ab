#pragma once
// Numbers as they stand in log lines: `8ms`, `-3.5`, `1.5e3 us`, `15405636.0kB`, `78pages`.

#include <optional>
#include <string_view>

namespace tailrace {

/// What a value of a router line that is not there, or not a number, looks like; real ones are never
/// negative.
inline constexpr double kAbsent = -1;
/// Larger ones (of either sign, in seconds or bytes) are absent too: up to here whole numbers are exact, and
/// no sum of them can become infinite.
inline constexpr double kLargestQuantity = 9007199254740992;  // 2^53
/// Bytes of a unit.
inline constexpr size_t kLongestUnit = 32;

struct Quantity {
  double value = 0;       // never -0, NaN or infinite
  std::string_view unit;  // `seconds`, `bytes`, none, or any other as it stands in the text
  bool operator==(const Quantity&) const = default;
};

/// All of `text`: a decimal (`8`, `-8.5`, `+.5`, `8e3`), then a unit or nothing, with one blank between them
/// or not. `ns us µs ms s sec m min h` become seconds by one correctly rounded division where the number has
/// up to 15 digits and no exponent; `B byte bytes kB KB KiB MB MiB GB GiB TB TiB` become bytes, each step
/// 1,024. Any other unit is letters, `%`, `/`, `_` and UTF-8 beyond ASCII. None if it is anything else.
std::optional<Quantity> parse_quantity(std::string_view text);

/// A time of a router line in seconds, where a number without a unit means ms; kAbsent if `text` is none or
/// negative.
double parse_seconds(std::string_view text);

/// The same for a size in bytes, with a unit or without one.
double parse_bytes(std::string_view text);

/// The same for a number without a unit.
double parse_plain(std::string_view text);

}  // namespace tailrace
