#include "metrics/lines/router_line.h"

#include <bit>
#include <cstring>

#include "metrics/lines/pair_walk.h"

namespace tailrace {
namespace {

// Text of up to 8 bytes as the number that a load from memory gives.
constexpr uint64_t word(std::string_view text) {
  uint64_t w = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t place = std::endian::native == std::endian::little ? i : 7 - i;
    w |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * place);
  }
  return w;
}

uint64_t load_word(const char* at, const char* end) {
  uint64_t w = 0;
  if (end - at >= 8)
    std::memcpy(&w, at, 8);
  else
    std::memcpy(&w, at, static_cast<size_t>(end - at));
  return w;
}

uint16_t parse_status(std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return 0;
  const auto tens = static_cast<unsigned>(text[1] - '0'), ones = static_cast<unsigned>(text[2] - '0');
  if (tens > 9 || ones > 9) return 0;
  return static_cast<uint16_t>((text[0] - '0') * 100u + tens * 10 + ones);
}

// A whole number of up to 5 digits with what follows it, read without a branch on its length: nearly every
// value of a router line is one, and its length is what a branch predictor cannot know.
struct ShortNumber {
  int64_t value = 0;
  unsigned digits = 0;  // 0: no such number here
  uint32_t behind = 0;  // the next 3 bytes; zeros, which are blanks, behind the end

  bool ends() const { return (behind & 0xff) <= 0x20; }
  bool ends_as_millis() const { return (behind & 0xffff) == ('m' | 's' << 8) && behind >> 16 <= 0x20; }
};

inline ShortNumber read_short(const char* at, const char* end) {
  if constexpr (std::endian::native != std::endian::little) return {};
  const uint64_t w = load_word(at, end);
  const uint64_t t = w ^ 0x3030303030303030;  // digits become 0 to 9
  // The high bit of each byte that is no digit; right up to the first such byte, beyond it carries may lie.
  const uint64_t others = ((t + 0x7676767676767676) | t) & 0x8080808080808080;
  const unsigned digits = static_cast<unsigned>(std::countr_zero(others | uint64_t{1} << 63)) / 8;
  if (digits == 0 || digits > 5) return {};
  // Leading zeros in front, then pairs, fours and eights of digits are summed at once.
  uint64_t v = (w & 0x0f0f0f0f0f0f0f0f) << (64 - 8 * digits);
  v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ff;
  v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffff;
  v = (v * 10000 + (v >> 32)) & 0xffffffff;
  return {static_cast<int64_t>(v), digits, static_cast<uint32_t>(w >> (8 * digits)) & 0xffffff};
}

inline double seconds_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n = read_short(at, end);
  if (n.digits && n.ends_as_millis()) return static_cast<double>(n.value) / 1000;
  whole = read_value(at, end, value);
  return parse_seconds(value);
}

inline double plain_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n = read_short(at, end);
  if (n.digits && n.ends()) return static_cast<double>(n.value);
  whole = read_value(at, end, value);
  return parse_plain(value);
}

inline double bytes_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n = read_short(at, end);
  if (n.digits && n.ends()) return static_cast<double>(n.value);
  whole = read_value(at, end, value);
  return parse_bytes(value);
}

inline uint16_t status_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n = read_short(at, end);
  if (n.digits == 3 && n.ends()) return n.value >= 100 && n.value <= 599 ? static_cast<uint16_t>(n.value) : 0;
  whole = read_value(at, end, value);
  return parse_status(value);
}

// Takes the value that begins at `at`, unless the name had its turn.
inline void take_value(RouterName name, const char* at, const char* end, RouterLine& line) {
  if (line.has(name)) return;
  std::string_view value;
  bool whole = true;  // not a quote that never closes
  switch (name) {
    case RouterName::status:
      line.status = status_at(at, end, value, whole);
      break;
    case RouterName::code:
      whole = read_value(at, end, value), line.code = code_number(value);
      break;
    case RouterName::connect:
      line.connect = seconds_at(at, end, value, whole);
      break;
    case RouterName::service:
      line.service = seconds_at(at, end, value, whole);
      break;
    case RouterName::wait:
      line.wait = seconds_at(at, end, value, whole);
      break;
    case RouterName::queue:
      line.queue = plain_at(at, end, value, whole);
      break;
    case RouterName::bytes:
      line.bytes = bytes_at(at, end, value, whole);
      break;
    case RouterName::dyno:
      if ((whole = read_value(at, end, value))) line.dyno = value;
      break;
  }
  if (whole) line.names |= static_cast<uint8_t>(1u << static_cast<unsigned>(name));
}

struct Name {
  std::string_view text;
  RouterName name;
};
constexpr Name kNames[] = {
    {"status", RouterName::status},   {"code", RouterName::code}, {"connect", RouterName::connect},
    {"service", RouterName::service}, {"wait", RouterName::wait}, {"queue", RouterName::queue},
    {"bytes", RouterName::bytes},     {"dyno", RouterName::dyno}, {"web", RouterName::dyno},
};

// The text of 2010 to 2012 says the code before any pair.
void take_leading_code(std::string_view message, RouterLine& line) {
  line.code = leading_code(message);
  if (line.code != kNoCode) line.names |= 1u << static_cast<unsigned>(RouterName::code);
}

// The pair whose `=` is at `equal`, if it is one of ours: the 8 bytes up to it hold name and `=`, and for the
// shorter names the byte before. What would lie before the text is zeros, which are blanks.
inline void take_pair(const char* text, const char* equal, const char* end, RouterLine& line) {
  uint64_t w = 0;
  const size_t before = static_cast<size_t>(equal - text);
  if (before >= 7)
    std::memcpy(&w, equal - 7, 8);
  else
    std::memcpy(reinterpret_cast<char*>(&w) + 7 - before, text, before + 1);
  const auto blank_at = [&](int byte) { return (w >> (8 * byte) & 0xff) <= 0x20; };
  const auto blank_before_8 = [&] { return before == 7 || is_blank(equal[-8]); };
  const auto take = [&](RouterName name) { take_value(name, equal + 1, end, line); };

  if (w == word("service=")) {
    if (blank_before_8()) take(RouterName::service);
  } else if (w == word("connect=")) {
    if (blank_before_8()) take(RouterName::connect);
  } else if (w >> 8 == word("status=")) {
    if (blank_at(0)) take(RouterName::status);
  } else if (w >> 16 == word("bytes=")) {
    if (blank_at(1)) take(RouterName::bytes);
  } else if (w >> 24 == word("dyno=")) {
    if (blank_at(2)) take(RouterName::dyno);
  } else if (w >> 24 == word("code=")) {
    if (blank_at(2)) take(RouterName::code);
  } else if (w >> 24 == word("wait=")) {
    if (blank_at(2)) take(RouterName::wait);
  } else if (w >> 16 == word("queue=")) {
    if (blank_at(1)) take(RouterName::queue);
  } else if (w >> 32 == word("web=")) {
    if (blank_at(3)) take(RouterName::dyno);
  }
}

}  // namespace

RouterLine scan_router_line(std::string_view message) {
  if constexpr (std::endian::native != std::endian::little) return scan_router_line_portably(message);
  RouterLine line;
  take_leading_code(message, line);
  const char *text = message.data(), *end = text + message.size();
  walk_pairs(message, [&](const char* equal) { take_pair(text, equal, end, line); });
  return line;
}

RouterLine scan_router_line_portably(std::string_view message) {
  RouterLine line;
  take_leading_code(message, line);
  const char* end = message.data() + message.size();
  walk_pairs_portably(message, [&](std::string_view text, const char* value) {
    for (const Name& name : kNames)
      if (text == name.text) take_value(name.name, value, end, line);
  });
  return line;
}

std::string_view router_value(std::string_view message, std::string_view name) {
  const char *text = message.data(), *end = text + message.size();
  std::string_view value;
  bool found = false;
  walk_pairs(message, [&](const char* equal) {
    if (found || static_cast<size_t>(equal - text) < name.size() || pair_name(text, equal) != name) return;
    found = read_value(equal + 1, end, value);
  });
  return value;
}

}  // namespace tailrace
