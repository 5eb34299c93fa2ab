#pragma once
// The rules of key=value in log lines, and the walk over a line's pairs that all readers of lines stand on.
//
//  (1) A blank is a byte <= 0x20. A token begins at the line's beginning or after a blank outside quotes.
//  (2) A pair is a token that begins `name=`; what comes later in the token is value. A name is not empty,
//  has
//      no `"`, and is case-sensitive. So neither `path=/x?service=5ms` nor `fwd="1"service=5ms` says anything
//      about service.
//  (3) Its value reaches to the next blank, or, if `"` follows the token's first `=` at once, to the next `"`
//      that an even number of backslashes precedes. No other quote opens.
//  (4) Behind a quote that never closes nothing counts; the pairs before it do.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tailrace {

constexpr bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

/// Which `=` are looked for: those behind the last letters of the names that are wanted. Nobody else's cost
/// anything then.
struct NameEnds {
  alignas(16) std::array<char, 16> letters{};  // each at its low four bits, which no two share
  char any = 0;                                // or all bits: behind every byte
};

constexpr NameEnds name_ends(std::string_view letters) {
  NameEnds ends;
  for (const char c : letters) ends.letters[c & 15] = c;
  return ends;
}
inline constexpr NameEnds kEveryName = {{}, -1};

/// Bytes that find_marks() looks at in one call, at most.
inline constexpr size_t kMarkReach = 512;
using Marks = std::array<uint16_t, kMarkReach + 64>;  // the rest is scratch room

/// Writes where in the `size` bytes from `at` on a `"` stands or a `=` behind one of `ends` (others' may be
/// among them), ascending, and returns how many. There is a byte before `at`.
using FindMarks = size_t (*)(const char* at, size_t size, const NameEnds& ends, Marks& marks);

/// The forms that this machine can run: with AVX-512, AVX2, SSE2, byte by byte. The best is first.
std::span<const FindMarks> find_marks_forms();

/// By the best form.
size_t find_marks(const char* at, size_t size, const NameEnds& ends, Marks& marks);

/// The name of the pair whose `=` is at `equal` in the text that begins at `text`; empty if no pair's is.
std::string_view pair_name(const char* text, const char* equal);

/// Whether the `"` at `quote`, which is not the text's first byte, opens a value: a pair's `=` is before it.
inline bool opens_value(const char* text, const char* quote) {
  if (quote[-1] != '=') return false;
#if defined(__SSE2__)
  if (quote - text > 16) {
    // Of the 16 bytes before the `=`, the last that no name has.
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(quote - 17));
    const __m128i blanks = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x20)), x);
    const __m128i marks =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('=')), _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
    const auto others = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(blanks, marks)));
    if (others) {
      const int name = static_cast<int>(std::bit_width(others));  // where it begins in them
      return name < 16 && is_blank(quote[name - 18]);
    }
  }
#endif
  return !pair_name(text, quote - 1).empty();
}

/// Whether the `"` at `quote` closes the value that begins at `value`.
inline bool closes(const char* value, const char* quote) {
  const char* run = quote;
  while (run > value && run[-1] == '\\') --run;
  return (quote - run) % 2 == 0;
}

/// The closing quote of a value that begins at `at`, or null.
const char* closing_quote(const char* at, const char* end);

/// The first blank from `at` on, or `end`.
inline const char* next_blank(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i blanks = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x20)), x);
    if (const auto found = static_cast<unsigned>(_mm_movemask_epi8(blanks)))
      return at + std::countr_zero(found);
  }
#endif
  while (at < end && !is_blank(*at)) ++at;
  return at;
}

/// The value that begins at `at`, just behind a pair's `=`; false if it opens a quote that never closes.
inline bool read_value(const char* at, const char* end, std::string_view& value) {
  const char* stop = at;
  if (at < end && *at == '"') {
    stop = closing_quote(++at, end);
    if (!stop) return false;
  } else {
    stop = next_blank(at, end);
  }
  value = {at, static_cast<size_t>(stop - at)};
  return true;
}

/// Calls `on_equal(equal)` for each `=` outside quotes that is behind one of `ends`, and maybe others, in
/// order. Whether a pair's name ends there is left to ask (pair_name()): who wants few names knows them
/// faster. It returns how many marks behind this one it has dealt with; it may be asked about these again.
template <class OnEqual>
[[gnu::always_inline]] inline void walk_pairs(std::string_view text, const NameEnds& ends,
                                              OnEqual&& on_equal) {
  if (text.empty()) return;
  Marks marks;
  const char *piece = text.data() + 1, *end = text.data() + text.size();  // no pair's `=` is the first byte
  const char* value = nullptr;                                            // of the open quote
  for (; piece < end; piece += kMarkReach) {
    const size_t count =
        find_marks(piece, std::min(kMarkReach, static_cast<size_t>(end - piece)), ends, marks);
    // The mark from `i` on that closes the value; `count` if it stays open.
    const auto close = [&](size_t i) {
      for (; i < count; ++i) {
        const char* mark = piece + marks[i];
        if (*mark != '"' || !closes(value, mark)) continue;
        value = nullptr;
        break;
      }
      return i;
    };
    size_t i = value ? close(0) + 1 : 0;
    for (; i < count; ++i) {
      const char* mark = piece + marks[i];
      if (*mark == '=') {
        i += on_equal(mark);
      } else if (opens_value(text.data(), mark)) {
        value = mark + 1;
        i = close(i + 1);
      }
    }
  }
}

/// The same walk token by token: calls `on_pair(name, value)` with where the value begins.
template <class OnPair>
void walk_pairs_portably(std::string_view text, OnPair&& on_pair) {
  const char *p = text.data(), *end = p + text.size();
  while (true) {
    while (p < end && is_blank(*p)) ++p;
    if (p == end) return;
    const char* token = p;
    while (p < end && !is_blank(*p) && *p != '=' && *p != '"') ++p;
    if (p > token && p < end && *p == '=') {
      const std::string_view name(token, static_cast<size_t>(p - token));
      on_pair(name, ++p);
      if (p < end && *p == '"') {
        p = closing_quote(p + 1, end);
        if (!p) return;
      }
    }
    while (p < end && !is_blank(*p)) ++p;
  }
}

}  // namespace tailrace
