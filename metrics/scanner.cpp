#include "metrics/scanner.h"

#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20; }

// Text of up to 8 bytes as the number that a load from memory gives.
constexpr uint64_t word(std::string_view text) {
  uint64_t w = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t place = std::endian::native == std::endian::little ? i : 7 - i;
    w |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * place);
  }
  return w;
}
constexpr uint64_t mask(size_t bytes) { return word(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff", bytes)); }

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

// Takes the pair that begins at `at`, if it is one of ours.
inline void take_pair(const char* at, const char* end, RouterLine& line) {
  const uint64_t w = load_word(at, end);
  RouterName name;
  size_t size;
  if (w == word("connect=")) {
    name = RouterName::connect, size = 8;
  } else if (w == word("service=")) {
    name = RouterName::service, size = 8;
  } else if ((w & mask(7)) == word("status=")) {
    name = RouterName::status, size = 7;
  } else if ((w & mask(6)) == word("bytes=")) {
    name = RouterName::bytes, size = 6;
  } else if ((w & mask(6)) == word("queue=")) {
    name = RouterName::queue, size = 6;
  } else if ((w & mask(5)) == word("code=")) {
    name = RouterName::code, size = 5;
  } else if ((w & mask(5)) == word("wait=")) {
    name = RouterName::wait, size = 5;
  } else {
    return;
  }
  if (line.has(name)) return;
  std::string_view value;
  if (!read_value(at + size, end, value)) return;
  line.names |= static_cast<uint8_t>(1u << static_cast<unsigned>(name));
  switch (name) {
    case RouterName::status: line.status = parse_status(value); break;
    case RouterName::code: line.code = code_number(value); break;
    case RouterName::connect: line.connect = parse_seconds(value); break;
    case RouterName::service: line.service = parse_seconds(value); break;
    case RouterName::wait: line.wait = parse_seconds(value); break;
    case RouterName::queue: line.queue = parse_plain(value); break;
    case RouterName::bytes: line.bytes = parse_plain(value); break;
  }
}

// The text of 2010 to 2012 says the code before any pair.
void take_leading_code(std::string_view message, RouterLine& line) {
  line.code = leading_code(message);
  if (line.code != kNoCode) line.names |= 1u << static_cast<unsigned>(RouterName::code);
}

#if defined(__SSE2__)

// Where in 64 bytes something stands, a bit per byte.
struct Marks {
  uint64_t blanks = 0, equals = 0, quotes = 0;
};

Marks marks_of(const char* at) {
  Marks m;
  for (int i = 0; i < 4; ++i) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    const auto bits = [i](__m128i equal) {
      return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(equal))} << (16 * i);
    };
    m.blanks |= bits(_mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x20)), x));
    m.equals |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')));
    m.quotes |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
  }
  return m;
}

// Marks of the last `left` < 64 bytes of a text; the bits behind them are 0. Never reads beyond the text.
Marks marks_of_tail(const char* at, size_t left, bool sixty_four_before_end) {
  Marks m;
  if (sixty_four_before_end) {
    m = marks_of(at + left - 64);
    const size_t shift = 64 - left;
    return {m.blanks >> shift, m.equals >> shift, m.quotes >> shift};
  }
  char copy[64];
  std::memset(copy, 'x', sizeof copy);
  std::memcpy(copy, at, left);
  return marks_of(copy);
}

// Longer than any record's MSG; 64 bytes each.
constexpr size_t kWords = 160;

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
    take_pair(token, end, line);
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

// First all marks of the line, then from event to event: an event is a token's beginning or a `"` behind a `=`.
RouterLine scan_router_line(std::string_view message) {
  if (message.size() > kWords * 64) return scan_router_line_portably(message);
  RouterLine line;
  take_leading_code(message, line);
  const char *text = message.data(), *end = text + message.size();

  uint64_t events[kWords], quotes[kWords];
  size_t words = 0;
  uint64_t after_blank = 1, after_equal = 0;  // what the byte before the word was
  for (size_t at = 0; at < message.size(); at += 64, ++words) {
    const size_t left = message.size() - at;
    const Marks m = left >= 64 ? marks_of(text + at) : marks_of_tail(text + at, left, at > 0);
    const uint64_t inside = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    const uint64_t starts = ~m.blanks & (m.blanks << 1 | after_blank);
    events[words] = (starts | (m.quotes & (m.equals << 1 | after_equal))) & inside;
    quotes[words] = m.quotes & inside;
    after_blank = m.blanks >> 63;
    after_equal = m.equals >> 63;
  }

  const char* token = text;
  const char* behind_quotes = text;
  bool may_open = true;  // no `=` of this token was looked at yet
  for (size_t w = 0; w < words; ++w) {
    for (uint64_t left = events[w]; left; left &= left - 1) {
      const char* p = text + w * 64 + static_cast<size_t>(std::countr_zero(left));
      if (p < behind_quotes) continue;
      if (p == text || is_blank(p[-1])) {
        token = p;
        may_open = true;
        take_pair(p, end, line);
        continue;
      }
      if (!may_open) continue;
      may_open = false;
      const char* name = token;
      while (*name != '=' && *name != '"') ++name;
      if (name != p - 1 || name == token) continue;

      // The next quote, by its mark; an escaped one sends us on.
      size_t from = static_cast<size_t>(p - text) + 1;
      const char* close = nullptr;
      while (!close) {
        size_t at = from / 64;
        if (at >= words) return line;
        uint64_t rest = quotes[at] & (~uint64_t{0} << from % 64);
        while (!rest) {
          if (++at >= words) return line;
          rest = quotes[at];
        }
        close = text + at * 64 + static_cast<size_t>(std::countr_zero(rest));
        const char* run = close;
        while (run > p + 1 && run[-1] == '\\') --run;
        if ((close - run) % 2 != 0) {
          from = static_cast<size_t>(close - text) + 1;
          close = nullptr;
        }
      }
      behind_quotes = close + 1;
    }
  }
  return line;
}

#else

RouterLine scan_router_line(std::string_view message) { return scan_router_line_portably(message); }

#endif

}  // namespace tailrace
