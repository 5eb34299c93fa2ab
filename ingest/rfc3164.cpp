#include "ingest/rfc3164.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/time_text.h"
#include "channels/record.h"
#include "ingest/ascii.h"
#include "ingest/token_id.h"

namespace tailrace {
namespace {

bool is_letter(char c) {
  return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/// What is left of the frame.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::string_view rest() const { return text_; }
  bool at_end() const { return text_.empty(); }
  bool next_is(char c) const { return !text_.empty() && text_[0] == c; }
  void skip(size_t n) { text_.remove_prefix(n); }
  bool take(char c) {
    if (!next_is(c)) return false;
    skip(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    skip(word.size());
    return true;
  }
  /// A number of `least` to `most` digits; takes as many as there are.
  bool number(size_t least, size_t most, int& value) {
    size_t n = 0;
    value = 0;
    for (; n < most && n < text_.size() && is_digit(text_[n]); ++n) value = value * 10 + (text_[n] - '0');
    skip(n);
    return n >= least;
  }
  /// A number of four digits with `behind` behind it, or nothing.
  bool year(char behind, int& value) {
    if (text_.size() < 5 || text_[4] != behind || !std::all_of(&text_[0], &text_[4], is_digit)) return false;
    number(4, 4, value);
    skip(1);
    return true;
  }

 private:
  std::string_view text_;
};

struct Stamp {
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int year = -1;              // -1: not given
  std::string_view fraction;  // digits
  std::string_view zone;      // `+02:00`, `+0200`, `Z`, or empty: UTC
  std::string_view as_sent;   // if it is RFC 3339
};

bool take_clock(Reader& in, Stamp& stamp) {
  if (!in.number(2, 2, stamp.hour) || !in.take(':') || !in.number(2, 2, stamp.minute) || !in.take(':') ||
      !in.number(2, 2, stamp.second))
    return false;
  if (stamp.hour > 23 || stamp.minute > 59 || stamp.second > 60) return false;
  const std::string_view rest = in.rest();
  if (rest.size() < 2 || (rest[0] != '.' && rest[0] != ',') || !is_digit(rest[1])) return true;
  size_t n = 1;
  while (n < rest.size() && is_digit(rest[n])) ++n;
  stamp.fraction = rest.substr(1, n - 1);
  in.skip(n);
  return true;
}

/// The size of a numeric zone at the beginning of `text`, 0 if it is none.
size_t numeric_zone(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return 0;
  Reader in(text.substr(1));
  int hours, minutes;
  if (!in.number(2, 2, hours)) return 0;
  in.take(':');
  if (!in.number(2, 2, minutes) || hours > 23 || minutes > 59) return 0;
  return text.size() - in.rest().size();
}

/// `2026-11-21T07:45:54.123456+00:00` and its kin.
bool take_iso(Reader& in, Stamp& stamp) {
  const std::string_view from = in.rest();
  if (!in.year('-', stamp.year) || !in.number(2, 2, stamp.month) || !in.take('-') ||
      !in.number(2, 2, stamp.day))
    return false;
  if (!in.take('T') && !in.take('t') && !in.take(' ')) return false;
  if (!take_clock(in, stamp)) return false;
  const size_t zone = in.next_is('Z') || in.next_is('z') ? 1 : numeric_zone(in.rest());
  stamp.zone = in.rest().substr(0, zone);
  in.skip(zone);
  const std::string_view all = from.substr(0, from.size() - in.rest().size());
  if (parse_rfc3339(all)) stamp.as_sent = all;
  return true;
}

int month_of(std::string_view text) {
  static constexpr std::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (text.size() < 3 || !std::all_of(&text[0], &text[0] + 3, is_letter)) return 0;
  const char lower[] = {char(text[0] | 0x20), char(text[1] | 0x20), char(text[2] | 0x20)};
  for (size_t i = 0; i < kMonths.size(); i += 3)
    if (std::memcmp(&kMonths[i], lower, 3) == 0) return int(i / 3) + 1;
  return 0;
}

/// `Nov 21 07:45:54` with a year before the month or behind the day, or with none.
bool take_bsd(Reader& in, Stamp& stamp) {
  const bool before = in.year(' ', stamp.year);
  stamp.month = month_of(in.rest());
  if (!stamp.month) return false;
  in.skip(3);
  if (!in.take(' ')) return false;
  in.take(' ');
  if (!in.number(1, 2, stamp.day) || !in.take(' ')) return false;
  if (!before) in.year(' ', stamp.year);
  return take_clock(in, stamp);
}

/// A Cisco mnemonic stands here: `%SYS-5-CONFIG_I:`.
bool is_mnemonic(std::string_view text) {
  if (!text.starts_with('%')) return false;
  bool severity = false;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return severity;
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
    severity |= c == '-' && i + 2 < text.size() && is_digit(text[i + 1]) && text[i + 2] == '-';
  }
  return false;
}

bool ends_time(std::string_view text) {
  return text.empty() || text[0] == ' ' || text == ":" || text.starts_with(": ");
}

/// A zone behind a blank. Names all stand for UTC: which of the many CST it is nobody knows, and a clock that
/// is hours off shows, while a host that is taken for a zone does not.
void take_zone(Reader& in, Stamp& stamp) {
  static constexpr std::string_view kNames[] = {"UTC",  "GMT", "Z",   "CET", "CEST", "EET", "EEST", "WET",
                                                "WEST", "BST", "IST", "MSK", "EST",  "EDT", "CST",  "CDT",
                                                "MST",  "MDT", "PST", "PDT", "JST",  "KST", "AEST", "AEDT"};
  if (!stamp.zone.empty() || !in.next_is(' ')) return;
  const std::string_view rest = in.rest().substr(1);
  size_t n = numeric_zone(rest);
  if (n && ends_time(rest.substr(n))) {
    stamp.zone = rest.substr(0, n);
    in.skip(1 + n);
    return;
  }
  for (n = 0; n < rest.size() && rest[n] >= 'A' && rest[n] <= 'Z';) ++n;
  const std::string_view behind = rest.substr(n);
  const bool known = std::find(std::begin(kNames), std::end(kNames), rest.substr(0, n)) != std::end(kNames);
  const bool cisco = n >= 1 && n <= 5 && behind.starts_with(": ") && is_mnemonic(behind.substr(2));
  if (cisco || (known && ends_time(behind))) in.skip(1 + n);
}

bool take_time(Reader& in, Stamp& stamp) {
  Reader trial = in;
  stamp = {};
  if (!trial.take('*')) trial.take('.');
  const Reader begin = trial;
  if (!take_iso(trial, stamp)) {
    trial = begin;
    stamp = {};
    if (!take_bsd(trial, stamp)) return false;
  }
  take_zone(trial, stamp);
  if (!ends_time(trial.rest())) return false;
  trial.take(':');
  trial.take(' ');
  in = trial;
  return true;
}

/// The year in which the stamp is nearest to `now`; of two equally near ones the earlier. -1: there is no
/// such day in any.
int nearest_year(const Stamp& stamp, Micros now) {
  using namespace std::chrono;
  const sys_time<microseconds> at{microseconds{now}};
  const int here = int(year_month_day{floor<days>(at)}.year());
  const int span = stamp.month == 2 && stamp.day == 29 ? 8 : 1;
  int best = -1;
  microseconds least{};
  for (int y = std::max(0, here - span); y <= std::min(9999, here + span); ++y) {
    const year_month_day date{year{y}, month{unsigned(stamp.month)}, day{unsigned(stamp.day)}};
    if (!date.ok()) continue;
    const auto then = sys_days{date} + hours{stamp.hour} + minutes{stamp.minute} + seconds{stamp.second};
    const microseconds distance = abs(at - then);
    if (best >= 0 && distance >= least) continue;
    best = y;
    least = distance;
  }
  return best;
}

/// The stamp as RFC 3339, in `out`, which has 32 bytes.
std::string_view write_time(const Stamp& stamp, char* out) {
  const auto put = [](char* to, int value, int digits) {
    for (int i = digits; i-- > 0; value /= 10) to[i] = char('0' + value % 10);
  };
  std::memcpy(out, "0000-00-00T00:00:00", 19);
  put(out, stamp.year, 4), put(out + 5, stamp.month, 2), put(out + 8, stamp.day, 2);
  put(out + 11, stamp.hour, 2), put(out + 14, stamp.minute, 2), put(out + 17, stamp.second, 2);
  char* to = out + 19;
  if (!stamp.fraction.empty()) {
    *to++ = '.';
    to = std::copy_n(stamp.fraction.data(), std::min<size_t>(6, stamp.fraction.size()), to);
  }
  std::memcpy(to, "+00:00", 6);
  if (stamp.zone.size() > 1) {  // `+0200` and `+02:00`
    std::memcpy(to, stamp.zone.data(), 3);
    std::memcpy(to + 4, stamp.zone.data() + stamp.zone.size() - 2, 2);
  }
  return {out, size_t(to + 6 - out)};
}

/// The time as text; empty if there is no such day.
std::string_view time_text(Stamp& stamp, Micros now, char* out) {
  using namespace std::chrono;
  if (!stamp.as_sent.empty()) return stamp.as_sent;
  if (stamp.year < 0) stamp.year = nearest_year(stamp, now);
  const year_month_day date{year{stamp.year}, month{unsigned(stamp.month)}, day{unsigned(stamp.day)}};
  return stamp.year < 0 || !date.ok() ? std::string_view{} : write_time(stamp, out);
}

/// `123: ` or `name: `.
bool take_label(Reader& in, std::string_view& label) {
  const std::string_view text = in.rest();
  size_t n = 0;
  while (n < text.size() && text[n] != ' ' && !is_control(text[n])) ++n;
  if (n < 2 || n >= text.size() || text[n] != ' ' || text[n - 1] != ':') return false;
  label = text.substr(0, n - 1);
  in.skip(n + 1);
  return true;
}

/// `@` and `/` as in the chains of hosts that relays write.
bool is_host_char(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == '@' || c == '/';
}

bool is_address6(std::string_view word) {
  char text[INET6_ADDRSTRLEN];
  if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
  if (const size_t zone = word.find('%'); zone != word.npos) {  // RFC 4007 section 11
    if (zone + 1 == word.size() || !std::ranges::all_of(word.substr(zone + 1), is_host_char)) return false;
    word = word.substr(0, zone);
  }
  if (word.size() >= sizeof text) return false;
  text[word.copy(text, word.size())] = 0;
  in6_addr address;
  return std::strlen(text) == word.size() && inet_pton(AF_INET6, text, &address) == 1;
}

bool is_host(std::string_view word) {
  if (word.empty() || looks_like_token(word)) return false;
  return std::ranges::all_of(word, is_host_char) || (word.find(':') != word.npos && is_address6(word));
}

/// What a TAG is made of: visible bytes, but none of those that end it or begin something else.
constexpr auto kTagChars = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0x21; c < 256; ++c)
    table[c] = c != 0x7f && std::string_view("\"'`=,;:<>[]{}\\").find(char(c)) == std::string_view::npos;
  return table;
}();

/// Takes the TAG at the beginning of `text`, with what divides it from the message.
void take_tag(std::string_view& text, Bsd& out) {
  size_t at = 0;
  while (at < text.size() && kTagChars[uint8_t(text[at])]) ++at;
  const std::string_view name = text.substr(0, at);
  if (name.empty()) return;
  std::string_view pid;
  bool marked = looks_like_token(name);
  if (at < text.size() && text[at] == '[') {
    const size_t begin = ++at;
    while (at < text.size() && text[at] != ' ' && text[at] != ']' && !is_control(text[at])) ++at;
    if (at >= text.size() || text[at] != ']') return;
    pid = text.substr(begin, at - begin);
    ++at;
    marked = true;
  }
  const bool end = at == text.size();
  if (!end && text[at] == ':') {
    // `tag:msg` needs more than `tag: msg`: https://…, C:\…, Some::Class and 12:30 begin messages.
    const char behind = at + 1 < text.size() ? text[at + 1] : ' ';
    const bool close = behind != ' ' && !marked;
    if (close && (name.size() < 2 || is_digit(name[0]) || behind == '/' || behind == '\\' || behind == ':'))
      return;
    ++at;
  } else if (!marked || !(end || text[at] == ' ')) {
    return;
  }
  out.app = name;
  if (!pid.empty()) out.procid = pid;
  text.remove_prefix(at);
  if (text.starts_with(' ')) text.remove_prefix(1);
}

/// Takes the HOST at the beginning of `text`, with the blank behind it; `name:` too if a Cisco mnemonic
/// follows.
void take_host(std::string_view& text, Bsd& out) {
  const size_t blank = text.find(' ');
  if (blank == text.npos) return;
  std::string_view word = text.substr(0, blank);
  if (word.ends_with(':') && is_mnemonic(text.substr(blank + 1))) word.remove_suffix(1);
  if (!is_host(word)) return;
  out.host = word;
  text.remove_prefix(blank + 1);
}

}  // namespace

bool parse_rfc3164(std::string_view frame, Micros now, Bsd& out) {
  Reader in(frame);
  int pri = 0;
  if (!in.take('<') || !in.number(1, 3, pri) || !in.take('>') || pri > 191) return false;
  in.take(':');
  in.take(' ');
  out.pri = uint8_t(pri);
  out.host = out.app = out.procid = "-";

  Stamp stamp;
  for (int labels = 0; !take_time(in, stamp); ++labels) {
    std::string_view label;
    if (labels == 2 || !take_label(in, label)) return false;
    if (looks_like_token(label))
      out.app = label;
    else if (!std::ranges::all_of(label, is_digit))
      out.host = label;
  }
  out.time = time_text(stamp, now, out.time_text);
  if (out.time.empty()) return false;

  std::string_view text = in.rest();
  if (out.host != "-" && !is_mnemonic(text)) return false;
  if (out.host == "-") take_host(text, out);
  if (text.starts_with(": ") && is_mnemonic(text.substr(2))) text.remove_prefix(2);  // `asa01 : %ASA-…`
  if (out.app == "-") take_tag(text, out);
  out.message = text;
  constexpr size_t kRest = sizeof "<191>1      - -";
  return kRest + out.time.size() + out.host.size() + out.app.size() + out.procid.size() <= kMaxHeader;
}

}  // namespace tailrace
