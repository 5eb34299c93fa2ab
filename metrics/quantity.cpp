#include "metrics/quantity.h"

#include <charconv>
#include <cstdint>

namespace tailrace {
namespace {

constexpr double kPowers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

// A decimal at the beginning of a text. Up to 15 digits it is kept as digits and a power of ten, so that a
// unit still fits into the one exact division; the rest goes through the library.
struct Decimal {
  const char* behind = nullptr;  // null: no number here
  uint64_t digits = 0;
  int places = 0;
  double value = kAbsent;  // instead of digits and places, if not negative

  double over_ten_to(int power) const {
    const double result =
        value >= 0 ? value / kPowers[power] : static_cast<double>(digits) / kPowers[places + power];
    return result <= kLargestQuantity ? result : kAbsent;
  }
};

Decimal read_decimal(const char* begin, const char* end) {
  Decimal d;
  const char* p = begin;
  while (p < end && is_digit(*p)) d.digits = d.digits * 10 + static_cast<uint64_t>(*p++ - '0');
  int count = static_cast<int>(p - begin < 100 ? p - begin : 100);
  if (p < end && *p == '.') {
    const char* point = p++;
    while (p < end && is_digit(*p)) d.digits = d.digits * 10 + static_cast<uint64_t>(*p++ - '0');
    d.places = static_cast<int>(p - point - 1 < 100 ? p - point - 1 : 100);
    count += d.places;
  }
  if (count == 0) return {};
  d.behind = p;
  if (count <= 15 && (p == end || (*p | 0x20) != 'e')) return d;
  const auto [behind, error] = std::from_chars(begin, end, d.value, std::chars_format::general);
  if (error != std::errc{}) return {};
  d.behind = behind;
  return d;
}

}  // namespace

double parse_seconds(std::string_view text) {
  const char* end = text.data() + text.size();
  const Decimal d = read_decimal(text.data(), end);
  if (!d.behind) return kAbsent;
  switch (end - d.behind) {
    case 0:
      return d.over_ten_to(3);
    case 1:
      return *d.behind == 's' ? d.over_ten_to(0) : kAbsent;
    case 2:
      if (d.behind[1] != 's') return kAbsent;
      return *d.behind == 'm' ? d.over_ten_to(3) : *d.behind == 'u' ? d.over_ten_to(6) : kAbsent;
    default:
      return kAbsent;
  }
}

double parse_plain(std::string_view text) {
  const char* end = text.data() + text.size();
  const Decimal d = read_decimal(text.data(), end);
  return d.behind == end && !text.empty() ? d.over_ten_to(0) : kAbsent;
}

}  // namespace tailrace
