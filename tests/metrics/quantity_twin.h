#pragma once
// The slow, obvious twin of quantity.h. Shares no code with it.

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "metrics/lines/quantity.h"

namespace tailrace {

struct TwinQuantity {
  double value;
  std::string unit;
};

/// Equal but for the last bits of a division.
inline bool twin_same(double a, double b) {
  return a == b || (std::signbit(a) == std::signbit(b) &&
                    std::abs(a - b) <= 1e-15 * std::max(std::abs(a), std::abs(b)));
}

/// Whether `text` is well-formed UTF-8, by the table of RFC 3629 section 4.
inline bool twin_utf8(const std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const auto at = [&](size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u; };
    const unsigned lead = at(i), second = at(i + 1);
    size_t more = 0;
    unsigned low = 0x80, high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) more = 1;
    if (lead >= 0xe0 && lead <= 0xef) more = 2;
    if (lead >= 0xf0 && lead <= 0xf4) more = 3;
    if (lead >= 0x80 && more == 0) return false;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    if (more > 0 && (second < low || second > high)) return false;
    for (size_t k = 2; k <= more; ++k)
      if (at(i + k) < 0x80 || at(i + k) > 0xbf) return false;
    i += more + 1;
  }
  return true;
}

/// `text` cut into the longest decimal and what follows it, but for one blank; none if it is no quantity.
inline std::optional<std::pair<double, std::string>> twin_number(const std::string& text) {
  size_t i = 0, digits = 0;
  const auto digit = [&] { return i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); };
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
  const size_t first = i;
  for (; digit(); ++i) ++digits;
  if (i < text.size() && text[i] == '.')
    for (++i; digit(); ++i) ++digits;
  if (digits == 0) return std::nullopt;
  const std::string mantissa = text.substr(first, i - first);
  const size_t before_exponent = i;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digit())
      while (digit()) ++i;
    else
      i = before_exponent;
  }
  errno = 0;
  const double value = std::strtod(text.substr(0, i).c_str(), nullptr);
  if (errno == ERANGE && (value == 0 || std::isinf(value))) return std::nullopt;
  std::string unit = text.substr(i);
  if (mantissa == "0" && unit.size() > 1 && (unit[0] == 'x' || unit[0] == 'X')) return std::nullopt;
  if (unit.size() > 1 && unit[0] == ' ') unit.erase(0, 1);
  return std::pair{value, unit};
}

inline std::optional<TwinQuantity> quantity_slowly(const std::string& text) {
  static const std::map<std::string, double> kSeconds = {
      {"ns", 1e-9}, {"us", 1e-6}, {"\u00b5s", 1e-6}, {"\u03bcs", 1e-6}, {"ms", 1e-3},
      {"s", 1},     {"sec", 1},   {"m", 60},         {"min", 60},       {"h", 3600}};
  static const std::map<std::string, int> kBytes = {{"B", 0},   {"byte", 0}, {"bytes", 0}, {"kB", 10},
                                                    {"KB", 10}, {"KiB", 10}, {"MB", 20},   {"MiB", 20},
                                                    {"GB", 30}, {"GiB", 30}, {"TB", 40},   {"TiB", 40}};
  auto number = twin_number(text);
  if (!number) return std::nullopt;
  auto& [value, unit] = *number;
  if (const auto seconds = kSeconds.find(unit); seconds != kSeconds.end()) {
    value = static_cast<double>(static_cast<long double>(value) * seconds->second);
    unit = "seconds";
  } else if (const auto bytes = kBytes.find(unit); bytes != kBytes.end()) {
    value = std::ldexp(value, bytes->second);
    unit = "bytes";
  } else {
    if (unit.size() > 32 || !twin_utf8(unit)) return std::nullopt;
    for (const char c : unit)
      if (!std::isalpha(static_cast<unsigned char>(c)) && std::string("%/_").find(c) == std::string::npos &&
          static_cast<unsigned char>(c) < 0x80)
        return std::nullopt;
  }
  if (std::abs(value) > kLargestQuantity) return std::nullopt;
  return TwinQuantity{value == 0 ? 0 : value, unit};
}

}  // namespace tailrace
