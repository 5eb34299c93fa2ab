#include "metrics/lines/router_line.h"

#include <bit>
#include <cstring>

#include "metrics/lines/pair_walk.h"

namespace tailrace {
namespace {

// Text of up to 8 bytes as the number that a load from memory gives.
consteval uint64_t word(std::string_view text) {
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
  // The 8 bytes where it would begin. Behind a text's end there are zeros, which are blanks.
  [[gnu::always_inline]] explicit ShortNumber(uint64_t text) {
    if constexpr (std::endian::native != std::endian::little) return;
    const uint64_t t = text ^ 0x3030303030303030;  // digits become 0 to 9
    // The high bit of each byte that is no digit; right up to the first such byte, beyond it carries may lie.
    const uint64_t others = ((t + 0x7676767676767676) | t) & 0x8080808080808080;
    const unsigned bits = static_cast<unsigned>(std::countr_zero(others | uint64_t{1} << 63)) & 0x78;
    if (bits - 8 > 32) return;
    digits = bits / 8;
    behind = text >> bits;
    // Leading zeros in front, then pairs, fours and eights of digits are summed at once.
    uint64_t v = t << (64 - bits);
    v = v * (10 << 8 | 1) >> 8 & 0x00ff00ff00ff00ff;
    v = v * (100 << 16 | 1) >> 16 & 0x0000ffff0000ffff;
    value = static_cast<int64_t>(v * (uint64_t{10'000} << 32 | 1) >> 32);
  }

  bool ends() const { return digits && (behind & 0xff) <= 0x20; }
  bool ends_as_millis() const {
    return digits && ((behind & 0xffffff) == ('m' | 's' << 8 | ' ' << 16) ||
                      ((behind & 0xffff) == ('m' | 's' << 8) && (behind & 0xff0000) <= 0x200000));
  }
  double millis() const { return static_cast<double>(value) / 1000; }

  int64_t value = 0;
  unsigned digits = 0;  // 0: no such number here
  uint64_t behind = 0;  // the bytes behind it, 3 at least
};

inline double seconds_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n(load_word(at, end));
  if (n.ends_as_millis()) return n.millis();
  whole = read_value(at, end, value);
  return parse_seconds(value);
}

inline double plain_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n(load_word(at, end));
  if (n.ends()) return static_cast<double>(n.value);
  whole = read_value(at, end, value);
  return parse_plain(value);
}

inline double bytes_at(const char* at, const char* end, std::string_view& value, bool& whole) {
  const ShortNumber n(load_word(at, end));
  if (n.ends()) return static_cast<double>(n.value);
  whole = read_value(at, end, value);
  return parse_bytes(value);
}

// Takes the value that begins at `at`, unless the name had its turn.
inline void take_value(RouterName name, const char* at, const char* end, RouterLine& line) {
  if (line.has(name)) return;
  std::string_view value;
  bool whole = true;  // not a quote that never closes
  switch (name) {
    case RouterName::status:
      whole = read_value(at, end, value), line.status = parse_status(value);
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

// What our names end with.
constexpr NameEnds kOurEnds = name_ends("seotb");

constexpr unsigned bit(RouterName name) {
  return 1u << static_cast<unsigned>(name);
}

// The status of the 4 bytes `200 `; 0 if they are anything else, or it is none.
inline uint16_t usual_status(const char* at) {
  uint32_t w;
  std::memcpy(&w, at, sizeof w);
  w ^= 0x20303030;  // digits become 0 to 9, the blank 0
  if ((w | (w + 0x060606)) & 0xfff0f0f0) return 0;
  const uint32_t status = (w & 15) * 100 + (w >> 8 & 15) * 10 + (w >> 16);
  return status >= 100 && status <= 599 ? static_cast<uint16_t>(status) : 0;
}

// Since 2013 Heroku writes `dyno=web.1 connect=1ms service=18ms status=200 bytes=13 protocol=…`. Takes as
// many of the four as stand in this order and usual form behind the dyno's value, and returns how many: they
// need not be looked for, and what they need is known beforehand.
[[gnu::always_inline]] inline size_t take_row(const char* p, const char* end, RouterLine& line) {
  // Up to here words are read without another look at the end.
  constexpr size_t kReach = sizeof " connect=12345ms service=12345ms status=200 bytes=12345678";
  if (static_cast<size_t>(end - p) < kReach) return 0;
  const auto word_at = [](const char* at) {
    uint64_t w;
    std::memcpy(&w, at, sizeof w);
    return w;
  };
  if (word_at(p + 1) != word("connect=") || line.has(RouterName::connect)) return 0;
  const ShortNumber connect(word_at(p + 9));
  if (!connect.ends_as_millis()) return 0;
  line.connect = connect.millis();
  line.names |= bit(RouterName::connect);
  p += 9 + connect.digits + 2;

  if (word_at(p + 1) != word("service=") || line.has(RouterName::service)) return 1;
  const ShortNumber service(word_at(p + 9));
  if (!service.ends_as_millis()) return 1;
  line.service = service.millis();
  line.names |= bit(RouterName::service);
  p += 9 + service.digits + 2;

  if (word_at(p + 1) << 8 != word("status=") << 8 || line.has(RouterName::status)) return 2;
  const uint16_t status = usual_status(p + 8);
  if (!status) return 2;
  line.status = status;
  line.names |= bit(RouterName::status);
  p += 11;

  if (word_at(p + 1) << 16 != word("bytes=") << 16 || line.has(RouterName::bytes)) return 3;
  const ShortNumber bytes(word_at(p + 7));
  if (!bytes.ends()) return 3;
  line.bytes = static_cast<double>(bytes.value);
  line.names |= bit(RouterName::bytes);
  return 4;
}

// The dyno whose value begins at `at`, and the row behind it.
[[gnu::always_inline]] inline size_t take_dyno(const char* at, const char* end, RouterLine& line) {
  if (line.has(RouterName::dyno)) return 0;
  take_value(RouterName::dyno, at, end, line);
  return line.dyno.data() == at ? take_row(at + line.dyno.size(), end, line) : 0;
}

// The bytes of a text's first few up to and with the `=` there, the last in the highest byte; what would lie
// before the text is zeros, which are blanks. Not in line: hardly any line begins with a name of ours.
[[gnu::noinline]] uint64_t first_word(const char* text, const char* equal) {
  uint64_t w = 0;
  for (const char* p = text; p <= equal; ++p) w = w >> 8 | uint64_t{static_cast<unsigned char>(*p)} << 56;
  return w;
}

// Takes the pair whose `=` is at `equal`, if it is one of ours: the 8 bytes up to it hold name and `=`, and
// for the shorter names the byte before. Returns how many it took besides.
[[gnu::always_inline]] inline size_t take_pair(const char* text, const char* equal, const char* end,
                                               RouterLine& line) {
  const auto before = equal - text;
  if (before < 3) return 0;  // `at=`
  uint64_t w;
  char eighth = ' ';
  if (before >= 8) {
    std::memcpy(&w, equal - 7, 8);
    eighth = equal[-8];
  } else {
    w = first_word(text, equal);
  }
  const auto blank_at = [&](int byte) { return (w >> (8 * byte) & 0xff) <= 0x20; };
  const auto take = [&](RouterName name) { take_value(name, equal + 1, end, line); };

  if (w >> 24 == word("dyno=")) {
    if (blank_at(2)) return take_dyno(equal + 1, end, line);
  } else if (w == word("service=")) {
    if (is_blank(eighth)) take(RouterName::service);
  } else if (w == word("connect=")) {
    if (is_blank(eighth)) take(RouterName::connect);
  } else if (w >> 8 == word("status=")) {
    if (blank_at(0)) take(RouterName::status);
  } else if (w >> 16 == word("bytes=")) {
    if (blank_at(1)) take(RouterName::bytes);
  } else if (w >> 24 == word("code=")) {
    if (blank_at(2)) take(RouterName::code);
  } else if (w >> 24 == word("wait=")) {
    if (blank_at(2)) take(RouterName::wait);
  } else if (w >> 16 == word("queue=")) {
    if (blank_at(1)) take(RouterName::queue);
  } else if (w >> 32 == word("web=")) {
    if (blank_at(3)) take(RouterName::dyno);
  }
  return 0;
}

}  // namespace

RouterLine scan_router_line(std::string_view message) {
  if constexpr (std::endian::native != std::endian::little) return scan_router_line_portably(message);
  RouterLine line;
  take_leading_code(message, line);
  const char *text = message.data(), *end = text + message.size();
  walk_pairs(message, kOurEnds, [&](const char* equal) { return take_pair(text, equal, end, line); });
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
  walk_pairs(message, kEveryName, [&](const char* equal) {
    if (!found && pair_name(text, equal) == name) found = read_value(equal + 1, end, value);
    return 0;
  });
  return value;
}

}  // namespace tailrace
