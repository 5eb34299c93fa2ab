#include "metrics/scanner.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

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

// The closing quote of a value that begins at `at`, or null.
const char* closing_quote(const char* at, const char* end) {
  for (const char* p = at; p < end; ++p) {
    p = static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end - p)));
    if (!p) return nullptr;
    const char* run = p;
    while (run > at && run[-1] == '\\') --run;
    if ((p - run) % 2 == 0) return p;
  }
  return nullptr;
}

uint16_t parse_status(std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return 0;
  const auto tens = static_cast<unsigned>(text[1] - '0'), ones = static_cast<unsigned>(text[2] - '0');
  if (tens > 9 || ones > 9) return 0;
  return static_cast<uint16_t>((text[0] - '0') * 100u + tens * 10 + ones);
}

// The value that begins at `at`; false if it opens a quote that never closes.
bool read_value(const char* at, const char* end, std::string_view& value) {
  const char* stop = at;
  if (at < end && *at == '"') {
    stop = closing_quote(++at, end);
    if (!stop) return false;
  } else {
    while (stop < end && !is_blank(*stop)) ++stop;
  }
  value = {at, static_cast<size_t>(stop - at)};
  return true;
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
      line.bytes = plain_at(at, end, value, whole);
      break;
  }
  if (whole) line.names |= static_cast<uint8_t>(1u << static_cast<unsigned>(name));
}

struct Name {
  std::string_view text;  // with its `=`
  RouterName name;
};
constexpr Name kNames[] = {
    {"status=", RouterName::status},   {"code=", RouterName::code}, {"connect=", RouterName::connect},
    {"service=", RouterName::service}, {"wait=", RouterName::wait}, {"queue=", RouterName::queue},
    {"bytes=", RouterName::bytes},
};

// The text of 2010 to 2012 says the code before any pair.
void take_leading_code(std::string_view message, RouterLine& line) {
  line.code = leading_code(message);
  if (line.code != kNoCode) line.names |= 1u << static_cast<unsigned>(RouterName::code);
}

#if defined(__SSE2__)

// An event is a `"`, or a `=` behind one of the letters that our names end with: s, e, t.
uint64_t events_of_16(__m128i x, __m128i before) {
  const auto is = [](__m128i v, char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
  const __m128i ours = _mm_or_si128(_mm_or_si128(is(before, 's'), is(before, 'e')), is(before, 't'));
  const __m128i events = _mm_or_si128(_mm_and_si128(is(x, '='), ours), is(x, '"'));
  return static_cast<uint32_t>(_mm_movemask_epi8(events));
}

__m128i load_16(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// The events of the 64 bytes from `at` on, a bit per byte; at[-1] is the text's too unless they are its
// first.
uint64_t events_of_64(const char* at, bool first) {
  const __m128i x = load_16(at);
  return events_of_16(x, first ? _mm_slli_si128(x, 1) : load_16(at - 1)) |
         events_of_16(load_16(at + 16), load_16(at + 15)) << 16 |
         events_of_16(load_16(at + 32), load_16(at + 31)) << 32 |
         events_of_16(load_16(at + 48), load_16(at + 47)) << 48;
}

// The same for the last `left` < 64 bytes, which `size - left` others precede. Never reads beyond the text.
uint64_t events_of_tail(const char* at, size_t left, bool first) {
  if (!first) return events_of_64(at + left - 64, false) >> (64 - left);  // what came before shifts out
  char copy[64] = {};
  std::memcpy(copy, at, left);
  return events_of_64(copy, true);
}

#endif

}  // namespace

RouterLine scan_router_line_portably(std::string_view message) {
  RouterLine line;
  take_leading_code(message, line);
  const char *p = message.data(), *end = p + message.size();
  while (true) {
    while (p < end && is_blank(*p)) ++p;
    if (p == end) return line;
    const char* token = p;
    for (const Name& name : kNames)
      if (*p == name.text[0] && std::string_view(p, static_cast<size_t>(end - p)).starts_with(name.text))
        take_value(name.name, p + name.text.size(), end, line);
    while (p < end && !is_blank(*p) && *p != '=' && *p != '"') ++p;
    if (p > token && end - p >= 2 && p[0] == '=' && p[1] == '"') {
      p = closing_quote(p + 2, end);
      if (!p) return line;
      ++p;
    }
    while (p < end && !is_blank(*p)) ++p;
  }
}

#if defined(__SSE2__)

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

  if (w == word("service=")) {
    if (blank_before_8()) take_value(RouterName::service, equal + 1, end, line);
  } else if (w == word("connect=")) {
    if (blank_before_8()) take_value(RouterName::connect, equal + 1, end, line);
  } else if (w >> 8 == word("status=")) {
    if (blank_at(0)) take_value(RouterName::status, equal + 1, end, line);
  } else if (w >> 16 == word("bytes=")) {
    if (blank_at(1)) take_value(RouterName::bytes, equal + 1, end, line);
  } else if (w >> 24 == word("code=")) {
    if (blank_at(2)) take_value(RouterName::code, equal + 1, end, line);
  } else if (w >> 24 == word("wait=")) {
    if (blank_at(2)) take_value(RouterName::wait, equal + 1, end, line);
  } else if (w >> 16 == word("queue=")) {
    if (blank_at(1)) take_value(RouterName::queue, equal + 1, end, line);
  }
}

// The bytes that no name has: blanks, `=` and `"`.
constexpr auto kEndsName = [] {
  std::array<bool, 256> ends{};
  for (size_t c = 0; c < ends.size(); ++c) ends[c] = c <= 0x20 || c == '=' || c == '"';
  return ends;
}();

// Whether the `"` at `quote` opens a value: rule (3).
inline bool opens(const char* text, const char* quote) {
  if (quote == text || quote[-1] != '=') return false;
  const char* name = quote - 1;
  while (name > text && !kEndsName[static_cast<unsigned char>(name[-1])]) --name;
  return name != quote - 1 && (name == text || is_blank(name[-1]));
}

RouterLine scan_router_line(std::string_view message) {
  RouterLine line;
  take_leading_code(message, line);
  const char *text = message.data(), *end = text + message.size();
  const char* value = nullptr;  // of the open quote
  for (size_t at = 0; at < message.size(); at += 64) {
    const size_t left = message.size() - at;
    uint64_t events =
        left >= 64 ? events_of_64(text + at, at == 0) : events_of_tail(text + at, left, at == 0);
    for (; events; events &= events - 1) {
      const char* p = text + at + std::countr_zero(events);
      if (value) {
        if (*p != '"') continue;
        const char* run = p;
        while (run > value && run[-1] == '\\') --run;
        if ((p - run) % 2 == 0) value = nullptr;
      } else if (*p == '=') {
        take_pair(text, p, end, line);
      } else if (opens(text, p)) {
        value = p + 1;
      }
    }
  }
  return line;
}

#else

RouterLine scan_router_line(std::string_view message) {
  return scan_router_line_portably(message);
}

#endif

}  // namespace tailrace
