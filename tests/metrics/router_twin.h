#pragma once
// The slow, obvious twin of the scanner: cuts the line into pairs first, then looks up names. Shares no code
// with it.

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/scanner.h"

namespace tailrace {

inline bool twin_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

inline std::vector<std::pair<std::string, std::string>> twin_pairs(const std::string& line) {
  std::vector<std::pair<std::string, std::string>> pairs;
  size_t i = 0;
  while (i < line.size()) {
    if (twin_blank(line[i])) {
      ++i;
      continue;
    }
    std::string name, value;
    while (i < line.size() && !twin_blank(line[i]) && line[i] != '=') name += line[i++];
    if (i < line.size() && line[i] == '=') {
      ++i;
      const bool quoted =
          !name.empty() && name.find('"') == std::string::npos && i < line.size() && line[i] == '"';
      if (quoted) {
        ++i;
        bool closed = false, escaped = false;
        while (i < line.size() && !closed) {
          const char c = line[i++];
          if (c == '"' && !escaped)
            closed = true;
          else
            value += c;
          escaped = c == '\\' && !escaped;
        }
        if (!closed) return pairs;
      } else {
        while (i < line.size() && !twin_blank(line[i])) value += line[i++];
      }
      pairs.emplace_back(name, value);
    }
    while (i < line.size() && !twin_blank(line[i])) ++i;
  }
  return pairs;
}

// The number a text is, if it is nothing but a decimal with an optional exponent.
inline double twin_number(const std::string& text) {
  size_t i = 0, digits = 0;
  for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i) ++digits;
  if (i < text.size() && text[i] == '.')
    for (++i; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i) ++digits;
  if (digits == 0) return kAbsent;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    if (++i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    size_t exponent = 0;
    for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i) ++exponent;
    if (exponent == 0) return kAbsent;
  }
  if (i != text.size()) return kAbsent;
  errno = 0;
  const double value = std::strtod(text.c_str(), nullptr);
  return errno == ERANGE ? kAbsent : value;
}

inline double twin_limited(double value) {
  return value <= kLargestQuantity ? value : kAbsent;
}

inline double twin_seconds(std::string text) {
  double per_second = 1e3;
  const auto ends = [&](const std::string& unit) {
    if (text.size() < unit.size() || text.compare(text.size() - unit.size(), unit.size(), unit) != 0)
      return false;
    text.resize(text.size() - unit.size());
    return true;
  };
  if (ends("ms"))
    per_second = 1e3;
  else if (ends("us"))
    per_second = 1e6;
  else if (ends("s"))
    per_second = 1;
  const double value = twin_number(text);
  return value == kAbsent ? kAbsent : twin_limited(value / per_second);
}

inline int twin_code(const std::string& text) {
  if (text.size() != 3 || !std::isdigit(static_cast<unsigned char>(text[1])) ||
      !std::isdigit(static_cast<unsigned char>(text[2])))
    return kNoCode;
  const size_t letter = std::string("HRL").find(text[0]);
  return letter == std::string::npos ? kNoCode : static_cast<int>(letter) * 100 + std::atoi(text.c_str() + 1);
}

inline RouterLine scan_router_line_slowly(std::string_view message) {
  const std::string line(message);
  RouterLine out;
  const auto first = [&, pairs = twin_pairs(line)](RouterName name,
                                                   const char* text) -> std::optional<std::string> {
    for (const auto& [n, v] : pairs) {
      if (n != text) continue;
      out.names |= static_cast<uint8_t>(1u << static_cast<unsigned>(name));
      return v;
    }
    return std::nullopt;
  };
  if (const auto v = first(RouterName::connect, "connect")) out.connect = twin_seconds(*v);
  if (const auto v = first(RouterName::service, "service")) out.service = twin_seconds(*v);
  if (const auto v = first(RouterName::wait, "wait")) out.wait = twin_seconds(*v);
  if (const auto v = first(RouterName::queue, "queue")) out.queue = twin_limited(twin_number(*v));
  if (const auto v = first(RouterName::bytes, "bytes")) out.bytes = twin_limited(twin_number(*v));
  if (const auto v = first(RouterName::status, "status"))
    if (v->size() == 3 && v->find_first_not_of("0123456789") == std::string::npos && *v >= "100" &&
        *v <= "599")
      out.status = static_cast<uint16_t>(std::atoi(v->c_str()));
  if (const auto v = first(RouterName::code, "code")) out.code = twin_code(*v);
  if (line.compare(0, 6, "Error ") == 0 && line.size() >= 9 &&
      (line.size() == 9 || !(std::isalnum(static_cast<unsigned char>(line[9])) || line[9] == '_'))) {
    const int code = twin_code(line.substr(6, 3));
    if (code != kNoCode) {
      out.code = code;
      out.names |= 1u << static_cast<unsigned>(RouterName::code);
    }
  }
  return out;
}

inline bool twin_same(double a, double b) {
  return a == b || (a >= 0 && b >= 0 && std::abs(a - b) <= 1e-15 * std::max(a, b));
}

/// Equal but for the last bit of a division.
inline bool twin_same(const RouterLine& a, const RouterLine& b) {
  return twin_same(a.connect, b.connect) && twin_same(a.service, b.service) && twin_same(a.wait, b.wait) &&
         twin_same(a.queue, b.queue) && twin_same(a.bytes, b.bytes) && a.status == b.status &&
         a.code == b.code && a.names == b.names;
}

}  // namespace tailrace
