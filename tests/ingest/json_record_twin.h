#pragma once
// The ndjson parser's result with copies, and its slow, obvious twin on nlohmann's DOM.

#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "channels/record.h"
#include "ingest/json_record.h"

namespace tailrace {

struct JsonParts {
  JsonVerdict verdict;
  std::string message, time, host, app, procid, msgid;
  int severity = -1;
  bool operator==(const JsonParts&) const = default;
};

inline JsonParts parse_json(std::string_view line) {
  Arena arena;
  JsonRecord r;
  const JsonVerdict verdict = parse_json_record(line, arena, r);
  if (verdict != JsonVerdict::ok) return {verdict, "", "", "", "", "", ""};
  return {verdict,
          std::string(r.message),
          std::string(r.time),
          std::string(r.host),
          std::string(r.app),
          std::string(r.procid),
          std::string(r.msgid),
          r.severity};
}

/// nlohmann takes UTF-8 alone, ends at NUL, refuses half surrogate pairs, and forgets how a number was
/// written. So each byte beyond ASCII goes through it as a character of a private plane (which no escape may
/// name), NUL as another control, half a pair as U+FFFD, and each number as an index.
class SlowJson {
 public:
  JsonParts parse(const std::string& line) {
    const JsonParts malformed{JsonVerdict::malformed, "", "", "", "", "", ""};
    const auto prepared = prepare(line);
    if (!prepared) return malformed;
    const nlohmann::json document = nlohmann::json::parse(*prepared, nullptr, false);
    if (!document.is_object() || depth(document) > kMaxJsonDepth) return malformed;
    const auto text = [&](const char* key, bool number_too) -> std::optional<std::string> {
      if (!document.contains(key)) return std::nullopt;
      const nlohmann::json& value = document[key];
      if (value.is_string()) return restore(value.get<std::string>());
      if (value.is_number() && number_too) return numbers_[value.get<size_t>()];
      return std::nullopt;
    };
    const auto field = [&](const char* key, bool number_too) {
      std::string value = text(key, number_too).value_or("");
      for (char& c : value)
        if (uint8_t(c) <= ' ' || c == 0x7f) c = '_';
      return value;
    };
    const auto message = text("message", false);
    if (!message) return malformed;
    JsonParts parts{
        JsonVerdict::ok,      *message, "", field("host", false), field("app", false), field("procid", true),
        field("msgid", false)};
    const std::string time = text("time", false).value_or("");
    if (parse_rfc3339(time)) parts.time = time;
    std::string severity = text("severity", true).value_or("");
    for (char& c : severity) c = char(tolower(c));
    static const std::map<std::string, int> severities = {{"0", 0},
                                                          {"emerg", 0},
                                                          {"emergency", 0},
                                                          {"1", 1},
                                                          {"alert", 1},
                                                          {"2", 2},
                                                          {"crit", 2},
                                                          {"critical", 2},
                                                          {"3", 3},
                                                          {"err", 3},
                                                          {"error", 3},
                                                          {"4", 4},
                                                          {"warn", 4},
                                                          {"warning", 4},
                                                          {"5", 5},
                                                          {"notice", 5},
                                                          {"6", 6},
                                                          {"info", 6},
                                                          {"informational", 6},
                                                          {"7", 7},
                                                          {"debug", 7}};
    if (const auto at = severities.find(severity); at != severities.end()) parts.severity = at->second;
    const size_t head =
        parts.time.size() + parts.host.size() + parts.app.size() + parts.procid.size() + parts.msgid.size();
    if (head + sizeof "<191>1      -" > kMaxHeader) return {JsonVerdict::too_long, "", "", "", "", "", ""};
    return parts;
  }

 private:
  static constexpr uint32_t kPlane = 0x10f000;

  static std::string utf8(uint32_t c) {
    return {char(0xf0 | c >> 18), char(0x80 | (c >> 12 & 0x3f)), char(0x80 | (c >> 6 & 0x3f)),
            char(0x80 | (c & 0x3f))};
  }

  /// None if a number is none (RFC 8259 section 6), or a backslash stands before what it cannot.
  std::optional<std::string> prepare(const std::string& line) {
    static const std::regex number("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    std::string out;
    bool string = false;
    for (size_t i = 0; i < line.size();) {
      const char c = line[i];
      if (!string && (isdigit(uint8_t(c)) || c == '-')) {
        const size_t end = std::min(line.find_first_not_of("0123456789+-.eE", i), line.size());
        numbers_.push_back(line.substr(i, end - i));
        if (!std::regex_match(numbers_.back(), number)) return std::nullopt;
        out += std::to_string(numbers_.size() - 1);
        i = end;
        continue;
      }
      if (c == '"') string = !string;
      if (string && c == '\\') {
        const int unit = hex(line, i), next = hex(line, i + 6);
        const bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
        const bool pair = high && next >= 0xdc00 && next < 0xe000;
        if (pair)
          out += line.substr(i, 12), i += 12;
        else if (high || low)
          out += "\\ufffd", i += 6;
        else if (i + 1 < line.size() && uint8_t(line[i + 1]) < 0x80 && line[i + 1])
          out += line.substr(i, 2), i += 2;
        else
          return std::nullopt;
        continue;
      }
      if (uint8_t(c) >= 0x80)
        out += utf8(kPlane + uint8_t(c));
      else
        out += c ? c : '\x01';
      ++i;
    }
    return out;
  }

  static int hex(const std::string& line, size_t at) {
    if (at + 6 > line.size() || line[at] != '\\' || line[at + 1] != 'u') return -1;
    const std::string digits = line.substr(at + 2, 4);
    for (const char c : digits)
      if (!isxdigit(uint8_t(c))) return -1;
    return std::stoi(digits, nullptr, 16);
  }

  static std::string restore(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (uint8_t(text[i]) == 0xf4 && i + 3 < text.size()) {
        const uint32_t c = uint32_t(text[i + 1] & 0x3f) << 12 | uint32_t(text[i + 2] & 0x3f) << 6 |
                           uint32_t(text[i + 3] & 0x3f) | 0x100000;
        if (c >= kPlane + 0x80 && c <= kPlane + 0xff) {
          out += char(c - kPlane);
          i += 3;
          continue;
        }
      }
      out += text[i];
    }
    return out;
  }

  static int depth(const nlohmann::json& value) {
    int inside = 0;
    if (!value.is_structured()) return 0;
    for (const auto& child : value) inside = std::max(inside, depth(child));
    return inside + 1;
  }

  std::vector<std::string> numbers_;
};

}  // namespace tailrace
