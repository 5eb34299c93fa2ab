#pragma once
// The slow, obvious twin of router_line.h: cuts the line into pairs first, then looks up names. Shares no
// code with it.

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "metrics/lines/router_line.h"
#include "tests/metrics/pair_twin.h"
#include "tests/metrics/quantity_twin.h"

namespace tailrace {

/// A router line's value: none if negative, or of a unit that is neither `unit` nor none.
inline double twin_router_value(const std::string& text, const std::string& unit) {
  const auto q = quantity_slowly(text);
  if (!q || q->value < 0 || (!q->unit.empty() && q->unit != unit)) return kAbsent;
  return q->value;
}

inline double twin_seconds(const std::string& text) {
  const auto q = quantity_slowly(text);
  if (q && !q->unit.empty()) return twin_router_value(text, "seconds");
  const auto number = twin_number(text);  // not limited yet: 2^53 ms are few seconds
  if (!number || !number->second.empty() || number->first < 0) return kAbsent;
  return number->first / 1e3 <= kLargestQuantity ? number->first / 1e3 : kAbsent;
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
  if (const auto v = first(RouterName::queue, "queue")) out.queue = twin_router_value(*v, "");
  if (const auto v = first(RouterName::bytes, "bytes")) out.bytes = twin_router_value(*v, "bytes");
  if (const auto v = first(RouterName::status, "status"))
    if (v->size() == 3 && v->find_first_not_of("0123456789") == std::string::npos && *v >= "100" &&
        *v <= "599")
      out.status = static_cast<uint16_t>(std::atoi(v->c_str()));
  if (const auto v = first(RouterName::code, "code")) out.code = twin_code(*v);
  for (const auto& [name, at, size] : twin_pairs_at(line)) {
    if (name != "dyno" && name != "web") continue;
    out.dyno = message.substr(at, size);
    out.names |= 1u << static_cast<unsigned>(RouterName::dyno);
    break;
  }
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

/// Equal but for the last bit of a division.
inline bool twin_same(const RouterLine& a, const RouterLine& b) {
  return twin_same(a.connect, b.connect) && twin_same(a.service, b.service) && twin_same(a.wait, b.wait) &&
         twin_same(a.queue, b.queue) && twin_same(a.bytes, b.bytes) && a.status == b.status &&
         a.dyno == b.dyno && a.code == b.code && a.names == b.names;
}

}  // namespace tailrace
