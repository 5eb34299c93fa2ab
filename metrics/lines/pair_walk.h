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
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailrace {

constexpr bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= 0x20;
}

/// Bytes that find_marks() looks at in one call, at most.
inline constexpr size_t kMarkReach = 512;

/// Writes where the `=` and `"` of `text` stand, ascending, and returns how many they are. `marks` has room
/// for kMarkReach. By AVX2 or SSE2, as the machine has it; the same byte by byte elsewhere.
size_t find_marks(std::string_view text, uint16_t* marks);

/// The name of the pair whose `=` is at `equal` in the text that begins at `text`; empty if no pair's is.
std::string_view pair_name(const char* text, const char* equal);

/// The closing quote of a value that begins at `at`, or null.
const char* closing_quote(const char* at, const char* end);

/// The value that begins at `at`, just behind a pair's `=`; false if it opens a quote that never closes.
inline bool read_value(const char* at, const char* end, std::string_view& value) {
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

/// Calls `on_equal(equal)` for each `=` outside quotes, in order. Whether a pair's name ends there is left to
/// ask (pair_name()): who wants few names finds them faster by their last bytes.
template <class OnEqual>
void walk_pairs(std::string_view text, OnEqual&& on_equal) {
  uint16_t marks[kMarkReach];
  const char* value = nullptr;  // of the open quote
  for (size_t from = 0; from < text.size(); from += kMarkReach) {
    const char* piece = text.data() + from;
    const size_t count = find_marks({piece, std::min(kMarkReach, text.size() - from)}, marks);
    for (size_t i = 0; i < count; ++i) {
      const char* mark = piece + marks[i];
      if (value) {
        if (*mark != '"') continue;
        const char* run = mark;
        while (run > value && run[-1] == '\\') --run;
        if ((mark - run) % 2 == 0) value = nullptr;
      } else if (*mark == '=') {
        on_equal(mark);
      } else if (mark > text.data() && mark[-1] == '=' && !pair_name(text.data(), mark - 1).empty()) {
        value = mark + 1;
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
