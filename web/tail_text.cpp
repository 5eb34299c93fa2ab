#include "web/tail_text.h"

#include "channels/syslog_names.h"

namespace tailrace {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// Bytes of the character at the front, or, if it is none, of its longest beginning (1 at least).
struct Character {
  size_t bytes;
  bool valid;
};
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  const size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                      : lead >= 0xe0 && lead <= 0xef ? 3
                      : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                     : 1;
  if (size == 1) return {1, false};
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return {1, false};
  for (size_t i = 2; i < size; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xbf) return {i, false};
  return {size, true};
}

}  // namespace

bool matches(const TailQuery& query, const Record& record) {
  if (!query.source.empty() && record.app() != query.source) return false;
  if (query.ps.empty()) return true;
  const std::string_view procid = record.procid();
  if (!procid.starts_with(query.ps)) return false;
  return procid.size() == query.ps.size() || procid[query.ps.size()] == '.';
}

bool matches_all(const TailQuery& query) {
  return query.source.empty() && query.ps.empty();
}

void append_line(std::string& out, const Record& record) {
  out += record.time();
  out += ' ';
  out += record.app();
  out += '[';
  out += record.procid();
  out += "]: ";
  out += record.message();
  if (!record.message().ends_with('\n')) out += '\n';
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const Character c = first_character(text);
    const auto byte = uint8_t(text.front());
    if (!c.valid) {
      out += kReplacement;
    } else if (byte == '"' || byte == '\\') {
      (out += '\\') += char(byte);
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      (out += hex[byte >> 4]) += hex[byte & 15];
    } else {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  out += '"';
}

void append_json_fields(std::string& out, Position position, const Record& record) {
  out += "\"seq\":" + std::to_string(position.value);
  const auto field = [&](std::string_view name, std::string_view value) {
    ((out += ",\"") += name) += "\":";
    append_json_string(out, value);
  };
  field("time", record.time());
  field("app", record.app());
  field("procid", record.procid());
  field("msgid", record.msgid());
  field("host", record.host());
  field("severity", kSeverityNames[size_t(record.severity())]);
  field("facility", kFacilityNames[size_t(record.facility())]);
  field("message", record.message());
}

}  // namespace tailrace
