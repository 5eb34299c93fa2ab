#include "drains/amount.h"

#include <charconv>
#include <cmath>

namespace tailrace {
namespace {

constexpr size_t kMostBytes = 100;
constexpr double kPowers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                              1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

struct Unit {
  std::string_view name;
  Amount::Kind kind;
  double size;
};
constexpr Unit kUnits[] = {
    {"", Amount::Kind::plain, 1},
    {"ms", Amount::Kind::time, 1e3},
    {"s", Amount::Kind::time, 1e6},
    {"us", Amount::Kind::time, 1},
    {"m", Amount::Kind::time, 60e6},
    {"h", Amount::Kind::time, 3600e6},
    {"B", Amount::Kind::bytes, 1},
    {"kB", Amount::Kind::bytes, 1024},
    {"KB", Amount::Kind::bytes, 1024},
    {"MB", Amount::Kind::bytes, 1024.0 * 1024},
    {"GB", Amount::Kind::bytes, 1024.0 * 1024 * 1024},
};

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

}  // namespace

std::optional<Amount> parse_amount(std::string_view text) {
  if (text.size() > kMostBytes) return std::nullopt;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // Whole digits and places are kept apart, so that one division makes the value, and rounds once.
  uint64_t digits = 0;
  size_t at = 0, count = 0, places = 0;
  for (; at < text.size() && is_digit(text[at]); ++at, ++count)
    digits = digits * 10 + static_cast<uint64_t>(text[at] - '0');
  if (at < text.size() && text[at] == '.')
    for (++at; at < text.size() && is_digit(text[at]); ++at, ++count, ++places)
      digits = digits * 10 + static_cast<uint64_t>(text[at] - '0');
  if (count == 0) return std::nullopt;
  double whole = static_cast<double>(digits);
  if (count > 15 || (at < text.size() && (text[at] | 0x20) == 'e')) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error != std::errc{} || !std::isfinite(whole)) return std::nullopt;
    at = static_cast<size_t>(end - text.data());
    places = 0;
  }
  text.remove_prefix(at);
  for (const Unit& unit : kUnits)
    if (text == unit.name) {
      const double sign = negative ? -1 : 1;
      return Amount{unit.kind, sign * whole / kPowers[places], sign * (whole * unit.size) / kPowers[places]};
    }
  return std::nullopt;
}

}  // namespace tailrace
