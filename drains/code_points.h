#pragma once
// Sets of Unicode's code points: what is not in one, letters of the other case, and UTF-8.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tailrace {

using CodePoint = uint32_t;
constexpr CodePoint kLastCodePoint = 0x10ffff;

/// Code points from first to second. Not sorted, may overlap.
using CodePoints = std::vector<std::pair<CodePoint, CodePoint>>;

CodePoints negated(CodePoints ranges);

/// Adds the letters that are those from `first` to `last` in another case, as RE2 has it. What it costs is
/// taken from `steps`, as in Expression::Room. False: they do not suffice.
[[nodiscard]] bool add_other_cases(CodePoints& out, CodePoint first, CodePoint last, size_t& steps);

void append_utf8(std::string& out, CodePoint c);

}  // namespace tailrace
