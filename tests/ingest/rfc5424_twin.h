#pragma once
// The RFC 5424 parser's result field by field, and its slow, obvious twin.

#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/rfc5424.h"

namespace tailrace {

struct Parts {
  int pri;
  std::string time, host, app, procid, msgid, sd, message;
  bool operator==(const Parts&) const = default;
};

inline std::optional<Parts> parse(std::string_view frame) {
  Syslog s;
  if (!parse_rfc5424(frame, s)) return std::nullopt;
  return Parts{s.pri,
               std::string(s.head.substr(0, s.time_size)),
               std::string(s.head.substr(s.time_size + 1)),
               std::string(s.app),
               std::string(s.ids.substr(0, s.procid_size)),
               std::string(s.ids.substr(s.procid_size + 1)),
               std::string(s.sd),
               std::string(s.message)};
}

/// The slow twin for frames with a plain header: fields one by one. Structured data is compared separately.
inline std::optional<Parts> parse_slowly(std::string_view frame) {
  const bool newline = frame.ends_with('\n');
  std::string fields[6];
  size_t at = 0;
  for (int i = 0; i < 6; ++i) {
    while (at < frame.size() && frame[at] != ' ') {
      const bool last = i == 5 && newline && at + 1 == frame.size();
      if (last) break;
      if (uint8_t(frame[at]) < 0x20 || frame[at] == 0x7f) return std::nullopt;
      fields[i] += frame[at++];
    }
    if (fields[i].empty()) return std::nullopt;
    if (i < 5) {
      if (at >= frame.size()) return std::nullopt;
      ++at;
    }
  }
  int pri = 0;
  size_t i = 1;
  const std::string& first = fields[0];
  if (first[0] != '<') return std::nullopt;
  for (; i < first.size() && isdigit(uint8_t(first[i])) && i < 4; ++i) pri = pri * 10 + first[i] - '0';
  if (i == 1 || i >= first.size() || first[i] != '>' || pri > 191) return std::nullopt;
  const std::string version = first.substr(i + 1);
  if (version.empty() || version.size() > 2 || version[0] == '0') return std::nullopt;
  for (const char c : version)
    if (!isdigit(uint8_t(c))) return std::nullopt;
  std::string rest(frame.substr(at));
  if (!rest.empty() && rest[0] == ' ') rest.erase(0, 1);
  return Parts{pri, fields[1], fields[2], fields[3], fields[4], fields[5], "", rest};
}

}  // namespace tailrace
