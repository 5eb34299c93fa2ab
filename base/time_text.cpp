#include "base/time_text.h"

#include <charconv>
#include <cstdio>
#include <cstring>

namespace tailrace {
namespace {

constexpr int64_t kSecond = 1'000'000;

struct Civil {
  int year, month, day, hour, minute, second, micros;
};

Civil civil(Micros t) {
  using namespace std::chrono;
  const sys_time<microseconds> at{microseconds{t}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{at - day};
  return {int(date.year()),
          int(unsigned(date.month())),
          int(unsigned(date.day())),
          int(time.hours().count()),
          int(time.minutes().count()),
          int(time.seconds().count()),
          int(time.subseconds().count())};
}

void put(char* out, int value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) out[i] = char('0' + value % 10);
}

size_t write_seconds(const Civil& c, char* out) {
  std::memcpy(out, "0000-00-00T00:00:00", 19);
  put(out, c.year, 4), put(out + 5, c.month, 2), put(out + 8, c.day, 2);
  put(out + 11, c.hour, 2), put(out + 14, c.minute, 2), put(out + 17, c.second, 2);
  return 19;
}

/// Reads exactly `n` digits at `at` and moves behind them.
std::optional<int> digits(std::string_view text, size_t& at, size_t n) {
  if (text.size() - at < n || at > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, n)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  at += n;
  return value;
}

bool take(std::string_view text, size_t& at, char c) {
  if (at >= text.size() || text[at] != c) return false;
  ++at;
  return true;
}

/// The longest prefix of digits as a number, and the rest.
std::optional<uint64_t> number(std::string_view text, std::string_view& rest) {
  uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end == text.data()) return std::nullopt;
  rest = text.substr(size_t(end - text.data()));
  return value;
}

}  // namespace

size_t write_rfc3339_micros(Micros t, char* out) {
  const Civil c = civil(t);
  write_seconds(c, out);
  out[19] = '.';
  put(out + 20, c.micros, 6);
  std::memcpy(out + 26, "+00:00", 6);
  return 32;
}

std::string rfc3339_micros(Micros t) {
  char out[32];
  return {out, write_rfc3339_micros(t, out)};
}

std::string rfc3339_seconds(Micros t) {
  char out[19];
  write_seconds(civil(t), out);
  return std::string(out, 19) + "+00:00";
}

std::string rfc3339_json(Micros t) {
  const Civil c = civil(t);
  char out[24];
  write_seconds(c, out);
  out[19] = '.';
  put(out + 20, c.micros / 1000, 3);
  out[23] = 'Z';
  return {out, 24};
}

std::optional<Micros> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  size_t at = 0;
  const auto y = digits(text, at, 4);
  if (!y || !take(text, at, '-')) return std::nullopt;
  const auto mo = digits(text, at, 2);
  if (!mo || !take(text, at, '-')) return std::nullopt;
  const auto d = digits(text, at, 2);
  if (!d || at >= text.size() || (text[at] != 'T' && text[at] != 't')) return std::nullopt;
  ++at;
  const auto h = digits(text, at, 2);
  if (!h || !take(text, at, ':')) return std::nullopt;
  const auto mi = digits(text, at, 2);
  if (!mi || !take(text, at, ':')) return std::nullopt;
  const auto s = digits(text, at, 2);
  if (!s) return std::nullopt;
  int64_t fraction = 0;
  if (take(text, at, '.')) {
    int64_t unit = kSecond / 10;
    const size_t from = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      fraction += (text[at] - '0') * unit;
    if (at == from) return std::nullopt;
  }
  int64_t offset = 0;
  if (at < text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    ++at;
  } else {
    const bool west = at < text.size() && text[at] == '-';
    if (!west && (at >= text.size() || text[at] != '+')) return std::nullopt;
    ++at;
    const auto oh = digits(text, at, 2);
    if (!oh || !take(text, at, ':')) return std::nullopt;
    const auto om = digits(text, at, 2);
    if (!om || *oh > 23 || *om > 59) return std::nullopt;
    offset = (*oh * 60 + *om) * 60 * kSecond * (west ? -1 : 1);
  }
  const year_month_day date{year{*y}, month{unsigned(*mo)}, day{unsigned(*d)}};
  if (at != text.size() || !date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  const int64_t day_count = sys_days{date}.time_since_epoch().count();
  return ((day_count * 24 + *h) * 60 + *mi) * 60 * kSecond + *s * kSecond + fraction - offset;
}

std::string duration_text(std::chrono::microseconds d) {
  const int64_t ms = d.count() / 1000;
  if (ms < 1000) return std::to_string(ms) + "ms";
  const int64_t s = ms / 1000;
  const auto two = [](int64_t a, const char* unit_a, int64_t b, const char* unit_b) {
    std::string text = std::to_string(a) + unit_a;
    if (b) text += std::to_string(b) + unit_b;
    return text;
  };
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return two(s / 60, "m", s % 60, "s");
  if (s < 86400) return two(s / 3600, "h", s % 3600 / 60, "m");
  return two(s / 86400, "d", s % 86400 / 3600, "h");
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::string_view unit;
  const auto value = number(text, unit);
  if (!value) return std::nullopt;
  const uint64_t factor = unit == "ms"  ? 1
                          : unit == "s" ? 1000
                          : unit == "m" ? 60'000
                          : unit == "h" ? 3'600'000
                          : unit == "d" ? 86'400'000
                                        : 0;
  if (factor == 0 || *value > uint64_t(INT64_MAX) / 1000 / factor) return std::nullopt;
  return std::chrono::milliseconds(*value * factor);
}

std::optional<uint64_t> parse_size(std::string_view text) {
  std::string_view unit;
  const auto value = number(text, unit);
  if (!value || unit.size() > 1) return std::nullopt;
  int shift = 0;
  if (!unit.empty()) {
    const size_t at = std::string_view("KMGT").find(unit[0]);
    if (at == std::string_view::npos) return std::nullopt;
    shift = int(at + 1) * 10;
  }
  if (*value > (UINT64_MAX >> shift)) return std::nullopt;
  return *value << shift;
}

}  // namespace tailrace
