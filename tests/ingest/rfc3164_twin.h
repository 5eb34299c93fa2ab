#pragma once
// The BSD syslog parser's result field by field, and its slow, obvious twin.

#include <arpa/inet.h>

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "ingest/rfc3164.h"

namespace tailrace {

struct BsdParts {
  int pri;
  std::string time, host, app, procid, message;
  bool operator==(const BsdParts&) const = default;
};

inline std::optional<BsdParts> parse_bsd(std::string_view frame, Micros now) {
  Bsd b;
  if (!parse_rfc3164(frame, now, b)) return std::nullopt;
  return BsdParts{b.pri,
                  std::string(b.time),
                  std::string(b.host),
                  std::string(b.app),
                  std::string(b.procid),
                  std::string(b.message)};
}

/// The slow twin: regular expressions and copies, by the words of rfc3164.h. Knows no bound on the header.
class SlowBsd {
 public:
  explicit SlowBsd(Micros now) : now_(now) {}

  std::optional<BsdParts> parse(std::string frame) const {
    std::smatch m;
    if (!lead(frame, m, "<(\\d{1,3})>:? ?")) return std::nullopt;
    BsdParts parts{std::stoi(m[1]), "", "-", "-", "-", ""};
    if (parts.pri > 191) return std::nullopt;
    std::string text = m.suffix();
    for (int labels = 0; !take_time(text, parts.time); ++labels) {
      const size_t colon = text.find(": ");
      if (labels == 2 || colon == 0 || colon == text.npos) return std::nullopt;
      const std::string label = text.substr(0, colon);
      for (const char c : label)
        if (uint8_t(c) <= ' ' || c == 0x7f) return std::nullopt;
      if (is_token(label))
        parts.app = label;
      else if (label.find_first_not_of("0123456789") != label.npos)
        parts.host = label;
      text.erase(0, colon + 2);
    }
    if (parts.time.empty()) return std::nullopt;
    if (parts.host != "-" && !mnemonic(text)) return std::nullopt;
    if (parts.host == "-") take_host(text, parts.host);
    if (text.starts_with(": ") && mnemonic(text.substr(2))) text.erase(0, 2);
    if (parts.app == "-") take_tag(text, parts);
    parts.message = text;
    return parts;
  }

 private:
  static constexpr const char* kMnemonic = "%[A-Za-z0-9_-]*-\\d-[A-Za-z0-9_-]*:";

  static bool lead(const std::string& text, std::smatch& m, const std::string& pattern) {
    static std::map<std::string, std::regex> compiled;
    auto [at, fresh] = compiled.try_emplace(pattern);
    if (fresh) at->second = std::regex(pattern, std::regex::optimize);
    return std::regex_search(text, m, at->second, std::regex_constants::match_continuous);
  }
  static bool mnemonic(const std::string& text) {
    std::smatch m;
    return lead(text, m, kMnemonic);
  }
  static bool is_token(const std::string& word) { return word.size() == 38 && word.starts_with("t."); }

  /// False: no time stands here. Empty: one that does not exist.
  bool take_time(std::string& text, std::string& out) const {
    static const std::string clock = "(\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d+))?";
    static const std::string numeric = "[+-](?:[01]\\d|2[0-3]):?[0-5]\\d";
    static const std::string end = "(?=$|:$|: | )";
    static const std::string zone = "(?: (?:(" + numeric +
                                    ")|UTC|GMT|Z|CET|CEST|EET|EEST|WET|WEST|BST|IST|MSK|EST|EDT|CST|CDT|MST|"
                                    "MDT|PST|PDT|JST|KST|AEST|AEDT|" +
                                    "[A-Z]{1,5}(?=: " + kMnemonic + ")))?" + end;
    static const std::string iso = "[*.]?((\\d{4})-(\\d\\d)-(\\d\\d)([Tt ])" + clock;
    static const std::string bsd =
        "[*.]?(?:(\\d{4}) )?([A-Za-z]{3})  ?(\\d{1,2}) (?:(\\d{4}) )?" + clock + zone;
    static const std::string months = "janfebmaraprmayjunjulaugsepoctnovdec";
    std::smatch m;
    std::string year, fraction, offset;
    int month, day, hour, minute, second;
    out.clear();
    if (lead(text, m, iso + "(Z|z|" + numeric + "))" + end) || lead(text, m, iso + ")" + zone)) {
      year = m[2], fraction = m[9], offset = m[10];
      month = std::stoi(m[3]), day = std::stoi(m[4]);
      hour = std::stoi(m[6]), minute = std::stoi(m[7]), second = std::stoi(m[8]);
      if (hour > 23 || minute > 59 || second > 60) return false;
      const std::string sent = m[1];
      const bool rfc3339 = (offset == "Z" || offset == "z" || offset.size() == 6) && sent[10] != ' ' &&
                           sent.find(',') == sent.npos && sent.ends_with(offset);
      if (rfc3339 && exists(std::stoi(year), month, day)) out = sent;
    } else if (lead(text, m, bsd)) {
      if (m[1].matched && m[4].matched) return false;
      std::string name = m[2];
      for (char& c : name) c = char(tolower(c));
      const size_t at = months.find(name);
      if (at == months.npos || at % 3) return false;
      year = m[1].matched ? m[1] : m[4];
      month = int(at / 3) + 1, day = std::stoi(m[3]);
      hour = std::stoi(m[5]), minute = std::stoi(m[6]), second = std::stoi(m[7]);
      fraction = m[8], offset = m[9];
      if (hour > 23 || minute > 59 || second > 60) return false;
    } else {
      return false;
    }
    text = m.suffix();
    if (text.starts_with(":")) text.erase(0, 1);
    if (text.starts_with(" ")) text.erase(0, 1);
    if (!out.empty()) return true;
    const int y = year.empty() ? nearest(month, day, hour, minute, second) : std::stoi(year);
    if (y < 0 || !exists(y, month, day)) return true;
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d", y, month, day, hour, minute, second);
    out = buffer;
    if (!fraction.empty()) out += "." + fraction.substr(0, 6);
    if (offset.size() < 5)
      out += "+00:00";
    else
      out += offset.substr(0, 3) + ":" + offset.substr(offset.size() - 2);
    return true;
  }

  static bool exists(int year, int month, int day) {
    std::tm date{};
    date.tm_year = year - 1900, date.tm_mon = month - 1, date.tm_mday = day;
    timegm(&date);
    return date.tm_mon == month - 1 && date.tm_mday == day;
  }

  int nearest(int month, int day, int hour, int minute, int second) const {
    int best = -1;
    Micros least = 0;
    const int here = 1970 + int(now_ / 31'556'952'000'000);
    for (int year = here - 10; year <= here + 10; ++year) {
      if (!exists(year, month, day)) continue;
      std::tm time{};
      time.tm_year = year - 1900, time.tm_mon = month - 1, time.tm_mday = day;
      time.tm_hour = hour, time.tm_min = minute, time.tm_sec = second;
      const Micros distance = std::abs(now_ - Micros(timegm(&time)) * 1'000'000);
      if (best < 0 || distance < least) best = year, least = distance;
    }
    return best;
  }

  static bool host_char(char c) { return isalnum(uint8_t(c)) || (c && strchr(".-_@/", c)); }
  static bool all_host_chars(const std::string& s) { return std::all_of(s.begin(), s.end(), host_char); }

  static void take_host(std::string& text, std::string& host) {
    const size_t blank = text.find(' ');
    if (blank == text.npos || blank == 0) return;
    std::string word = text.substr(0, blank);
    if (word.back() == ':' && mnemonic(text.substr(blank + 1))) word.pop_back();
    if (word.empty() || is_token(word)) return;
    std::string address = word;
    if (address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
    const size_t percent = address.find('%');
    bool zone = true;
    if (percent != address.npos) {
      zone = percent + 1 < address.size() && all_host_chars(address.substr(percent + 1));
      address.erase(percent);
    }
    in6_addr ignored;
    const bool v6 = zone && word.find(':') != word.npos && address.find('\0') == address.npos &&
                    inet_pton(AF_INET6, address.c_str(), &ignored) == 1;
    if (!v6 && !all_host_chars(word)) return;
    host = word;
    text.erase(0, blank + 1);
  }

  static void take_tag(std::string& text, BsdParts& parts) {
    size_t n = 0;
    const auto visible = [](char c) { return uint8_t(c) > ' ' && c != 0x7f; };
    while (n < text.size() && visible(text[n]) && !strchr("\"'`=,;:<>[]{}\\", text[n])) ++n;
    const std::string name = text.substr(0, n);
    if (name.empty()) return;
    std::string rest = text.substr(n), pid;
    bool marked = is_token(name);
    if (rest.starts_with("[")) {
      const size_t close = rest.find(']');
      if (close == rest.npos) return;
      pid = rest.substr(1, close - 1);
      for (const char c : pid)
        if (!visible(c)) return;
      rest.erase(0, close + 1);
      marked = true;
    }
    if (rest.empty() || rest[0] == ' ') {
      if (!marked) return;
    } else if (rest[0] == ':') {
      rest.erase(0, 1);
      const bool close = !rest.empty() && rest[0] != ' ';
      if (close && !marked && (name.size() == 1 || isdigit(uint8_t(name[0])))) return;
      if (close && !marked && (rest[0] == '/' || rest[0] == '\\' || rest[0] == ':')) return;
    } else {
      return;
    }
    if (rest.starts_with(" ")) rest.erase(0, 1);
    parts.app = name;
    if (!pid.empty()) parts.procid = pid;
    text = rest;
  }

  const Micros now_;
};

}  // namespace tailrace
