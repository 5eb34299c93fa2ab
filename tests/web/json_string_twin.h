#pragma once
// A JSON string of any bytes, slow and obvious: every byte is asked what character it begins.

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace tailrace::testing {

inline std::string utf8_of(uint32_t c) {
  if (c < 0x80) return {char(c)};
  if (c < 0x800) return {char(0xc0 | c >> 6), char(0x80 | (c & 63))};
  if (c < 0x10000) return {char(0xe0 | c >> 12), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
  return {char(0xf0 | c >> 18), char(0x80 | (c >> 12 & 63)), char(0x80 | (c >> 6 & 63)),
          char(0x80 | (c & 63))};
}

/// The character that these bytes are: what encodes to them again, and is no surrogate.
inline std::optional<uint32_t> character_of(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 4) return {};
  uint32_t c = uint8_t(bytes[0]);
  if (bytes.size() > 1) c &= 0x7fu >> bytes.size();
  for (const char byte : bytes.substr(1)) c = c << 6 | (uint8_t(byte) & 63);
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || utf8_of(c) != bytes) return {};
  return c;
}

/// Some character begins with these bytes.
inline bool begins_character(const std::string& bytes) {
  if (character_of(bytes)) return true;
  if (bytes.size() >= 4) return false;
  for (const int next : {0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf})  // ends of all ranges of RFC 3629
    if (begins_character(bytes + char(next))) return true;
  return false;
}

inline std::string json_string_twin(std::string_view text) {
  constexpr std::string_view kShort = "\b\t\n\f\r";
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    size_t size = 4;
    while (size > 0 && (at + size > text.size() || !character_of(text.substr(at, size)))) --size;
    if (size == 0) {
      for (size = 1; at + size < text.size() && begins_character(std::string(text.substr(at, size + 1)));)
        ++size;
      out += "\xef\xbf\xbd";
    } else if (const auto c = uint8_t(text[at]); c == '"' || c == '\\') {
      (out += '\\') += char(c);
    } else if (const size_t i = kShort.find(text[at]); i != kShort.npos) {
      (out += '\\') += "btnfr"[i];
    } else if (c < 0x20 || c == 0x7f) {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    } else {
      out += text.substr(at, size);
    }
    at += size;
  }
  return out + '"';
}

}  // namespace tailrace::testing
