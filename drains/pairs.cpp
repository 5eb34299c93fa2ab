#include "drains/pairs.h"

#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

constexpr size_t kNowhere = std::string_view::npos;

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

#if defined(__SSE2__)

/// Of the 16 places from `at` on, those where `byte` stands, 0xff each.
__m128i places_of(char byte, const char* at) {
  return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), _mm_set1_epi8(byte));
}

unsigned bits(__m128i places) {
  return static_cast<unsigned>(_mm_movemask_epi8(places));
}

/// Of the 16 places from `at` on, those where the needle's first and last byte stand, a bit each. Where these
/// are many, it looks at all its bytes, so that no text makes a place dear.
unsigned likely_places(const char* at, std::string_view needle) {
  const size_t last = needle.size() - 1;
  __m128i places = _mm_and_si128(places_of(needle.front(), at), places_of(needle.back(), at + last));
  const unsigned found = bits(places), but_one = found & (found - 1);
  if ((but_one & (but_one - 1)) == 0) return found;
  size_t i = 1;
  for (; i + 4 <= last && bits(places); i += 4)
    places = _mm_and_si128(
        places,
        _mm_and_si128(
            _mm_and_si128(places_of(needle[i], at + i), places_of(needle[i + 1], at + i + 1)),
            _mm_and_si128(places_of(needle[i + 2], at + i + 2), places_of(needle[i + 3], at + i + 3))));
  for (; i < last && bits(places); ++i) places = _mm_and_si128(places, places_of(needle[i], at + i));
  return bits(places);
}

#endif

/// Whether the quote there opens a value: `"` behind the first `=` of its token, and a name before that.
bool opens(std::string_view text, size_t quote) {
  if (quote == 0 || text[quote - 1] != '=') return false;
  size_t name = quote - 1;
  while (name > 0 && !is_blank(text[name - 1]) && text[name - 1] != '=' && text[name - 1] != '"') --name;
  return name != quote - 1 && (name == 0 || is_blank(text[name - 1]));
}

}  // namespace

size_t find_text(std::string_view text, std::string_view needle, size_t from) {
#if defined(__SSE2__)
  const size_t reach = needle.size() + 15;  // bytes that one look at 16 places needs
  if (from > text.size() || text.size() - from < reach) return text.find(needle, from);
  const size_t last = text.size() - reach;
  for (size_t at = from;; at += 16) {
    if (at > last) at = last;  // the rest, some of it again
    for (unsigned places = likely_places(text.data() + at, needle); places; places &= places - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(places));
      if (std::memcmp(text.data() + place, needle.data(), needle.size()) == 0) return place;
    }
    if (at == last) return kNowhere;
  }
#else
  return text.find(needle, from);
#endif
}

size_t closing_quote(std::string_view text, size_t at) {
  for (size_t quote = text.find('"', at); quote != kNowhere; quote = text.find('"', quote + 1)) {
    size_t run = quote;
    while (run > at && text[run - 1] == '\\') --run;
    if ((quote - run) % 2 == 0) return quote;
  }
  return kNowhere;
}

std::optional<std::string_view> find_pair(std::string_view text, std::string_view key) {
  size_t outside = 0;  // up to here quotes have been looked at, and here none is open
  for (size_t at = find_text(text, key); at != kNowhere; at = find_text(text, key, at)) {
    if (at > 0 && !is_blank(text[at - 1])) {
      ++at;
      continue;
    }
    while (outside < at) {
      const void* found = std::memchr(text.data() + outside, '"', at - outside);
      if (!found) break;
      const size_t quote = static_cast<size_t>(static_cast<const char*>(found) - text.data());
      outside = quote + 1;
      if (!opens(text, quote)) continue;
      const size_t closing = closing_quote(text, outside);
      if (closing == kNowhere) return std::nullopt;
      outside = closing + 1;
    }
    if (outside > at) {  // it stands in quotes
      at = outside;
      continue;
    }
    size_t begin = at + key.size(), end = begin;
    if (begin < text.size() && text[begin] == '"') {
      end = closing_quote(text, ++begin);
      if (end == kNowhere) return std::nullopt;
    } else {
      while (end < text.size() && !is_blank(text[end])) ++end;
    }
    return text.substr(begin, end - begin);
  }
  return std::nullopt;
}

}  // namespace tailrace
