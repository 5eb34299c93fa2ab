#include "metrics/lines/pair_walk.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

// The bytes that no name has: blanks, `=` and `"`.
constexpr auto kEndsName = [] {
  std::array<bool, 256> ends{};
  for (size_t c = 0; c < ends.size(); ++c) ends[c] = c <= 0x20 || c == '=' || c == '"';
  return ends;
}();

#if defined(__SSE2__)

uint64_t marks_of_64(const char* at) {
  const auto of_16 = [at](int i) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')), _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(marks))};
  };
  return of_16(0) | of_16(1) << 16 | of_16(2) << 32 | of_16(3) << 48;
}

// The marks of the last `left` < 64 bytes, which `before` others precede. Never reads beyond the text.
uint64_t marks_of_tail(const char* at, size_t left, size_t before) {
  if (before >= 64 - left) return marks_of_64(at + left - 64) >> (64 - left);
  char copy[64] = {};
  std::memcpy(copy, at, left);
  return marks_of_64(copy);
}

#endif

}  // namespace

std::string_view pair_name(const char* text, const char* equal) {
  const char* name = equal;
  while (name > text && !kEndsName[static_cast<unsigned char>(name[-1])]) --name;
  if (name > text && !is_blank(name[-1])) return {};
  return {name, static_cast<size_t>(equal - name)};
}

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

#if defined(__SSE2__)

size_t find_marks(std::string_view text, uint16_t* marks) {
  uint16_t* out = marks;
  for (size_t at = 0; at < text.size(); at += 64) {
    const size_t left = text.size() - at;
    uint64_t found = left >= 64 ? marks_of_64(text.data() + at) : marks_of_tail(text.data() + at, left, at);
    for (; found; found &= found - 1)
      *out++ = static_cast<uint16_t>(at + static_cast<size_t>(std::countr_zero(found)));
  }
  return static_cast<size_t>(out - marks);
}

#else

size_t find_marks(std::string_view text, uint16_t* marks) {
  uint16_t* out = marks;
  for (size_t at = 0; at < text.size(); ++at)
    if (text[at] == '=' || text[at] == '"') *out++ = static_cast<uint16_t>(at);
  return static_cast<size_t>(out - marks);
}

#endif

}  // namespace tailrace
