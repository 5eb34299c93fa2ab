#include "metrics/lines/quantity.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr double kPowers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kLargestPower = 22;  // beyond it powers of ten are not exact

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

bool is_letter(char c) {
  return static_cast<unsigned char>((c | 0x20) - 'a') < 26;
}

struct Unit {
  std::string_view text, name;
  double factor;  // what one is in `name`: factor / 10^power
  int power;
};

constexpr double kKi = 1024, kMi = kKi * kKi, kGi = kMi * kKi, kTi = kGi * kKi;
constexpr Unit kMillis = {"ms", "seconds", 1, 3};
constexpr Unit kUnits[] = {
    kMillis,
    {"s", "seconds", 1, 0},
    {"MB", "bytes", kMi, 0},
    {"kB", "bytes", kKi, 0},
    {"bytes", "bytes", 1, 0},
    {"us", "seconds", 1, 6},
    {"ns", "seconds", 1, 9},
    {"\xc2\xb5s", "seconds", 1, 6},  // U+00B5, micro
    {"\xce\xbcs", "seconds", 1, 6},  // U+03BC, mu
    {"sec", "seconds", 1, 0},
    {"m", "seconds", 60, 0},
    {"min", "seconds", 60, 0},
    {"h", "seconds", 3600, 0},
    {"B", "bytes", 1, 0},
    {"byte", "bytes", 1, 0},
    {"KB", "bytes", kKi, 0},
    {"KiB", "bytes", kKi, 0},
    {"MiB", "bytes", kMi, 0},
    {"GB", "bytes", kGi, 0},
    {"GiB", "bytes", kGi, 0},
    {"TB", "bytes", kTi, 0},
    {"TiB", "bytes", kTi, 0},
};

const Unit* known_unit(std::string_view text) {
  for (const Unit& unit : kUnits)
    if (unit.text == text) return &unit;
  return nullptr;
}

bool is_other_unit(std::string_view text) {
  if (text.size() > kLongestUnit) return false;
  bool beyond_ascii = false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80)
      beyond_ascii = true;
    else if (!is_letter(c) && c != '%' && c != '/' && c != '_')
      return false;
  }
  return !beyond_ascii || is_utf8(text);
}

// A decimal with what follows it. Up to 15 digits it is kept as digits and a power of ten, so that a unit
// still fits into the one exact division; the rest goes through the library.
struct Decimal {
  bool negative = false, exact = true;
  uint64_t digits = 0;
  int places = 0;
  double value = 0;       // instead of digits and places, if not exact
  std::string_view unit;  // all that follows, but for one blank

  /// Its amount of `factor` / 10^`power`; none if it is too large.
  std::optional<double> times(double factor, int power) const {
    double result =
        exact && places + power <= kLargestPower
            ? static_cast<double>(digits) * factor / kPowers[places + power]
            : (exact ? static_cast<double>(digits) / kPowers[places] : value) * factor / kPowers[power];
    if (!(result <= kLargestQuantity)) return std::nullopt;
    return negative && result > 0 ? -result : result;
  }
};

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal d;
  const char *p = text.data(), *end = p + text.size();
  if (p < end && (*p == '-' || *p == '+')) d.negative = *p++ == '-';
  const char* begin = p;
  while (p < end && is_digit(*p)) d.digits = d.digits * 10 + static_cast<uint64_t>(*p++ - '0');
  const char* point = p;
  if (p < end && *p == '.')
    for (++p; p < end && is_digit(*p); ++p) d.digits = d.digits * 10 + static_cast<uint64_t>(*p - '0');
  const auto behind_point = p > point ? p - point - 1 : 0, count = point - begin + behind_point;
  if (count == 0) return std::nullopt;
  d.places = static_cast<int>(std::min<ptrdiff_t>(behind_point, 16));
  d.exact = count <= 15 && (p == end || (*p | 0x20) != 'e');
  if (!d.exact) {
    const auto [behind, error] = std::from_chars(begin, end, d.value, std::chars_format::general);
    if (error != std::errc{}) return std::nullopt;
    p = behind;
  }
  // `0xff` is a number to some, so it is none here.
  if (end - p > 1 && (*p | 0x20) == 'x' && p - begin == 1 && *begin == '0') return std::nullopt;
  if (end - p > 1 && *p == ' ') ++p;
  d.unit = {p, static_cast<size_t>(end - p)};
  return d;
}

double kept(std::optional<double> value) {
  return value && *value >= 0 ? *value : kAbsent;
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text) {
  const auto d = read_decimal(text);
  if (!d) return std::nullopt;
  const Unit* known = d->unit.empty() ? nullptr : known_unit(d->unit);
  if (!known && !is_other_unit(d->unit)) return std::nullopt;
  const auto value = known ? d->times(known->factor, known->power) : d->times(1, 0);
  if (!value) return std::nullopt;
  return Quantity{*value, known ? known->name : d->unit};
}

double parse_seconds(std::string_view text) {
  const auto d = read_decimal(text);
  if (!d) return kAbsent;
  const Unit* unit = d->unit.empty() ? &kMillis : known_unit(d->unit);
  return unit && unit->name == kMillis.name ? kept(d->times(unit->factor, unit->power)) : kAbsent;
}

double parse_bytes(std::string_view text) {
  const auto quantity = parse_quantity(text);
  return quantity && (quantity->unit.empty() || quantity->unit == "bytes") ? kept(quantity->value) : kAbsent;
}

double parse_plain(std::string_view text) {
  const auto quantity = parse_quantity(text);
  return quantity && quantity->unit.empty() ? kept(quantity->value) : kAbsent;
}

}  // namespace tailrace
