#include "ingest/rfc5424.h"

#include <algorithm>
#include <array>
#include <bit>

#include "channels/record.h"
#include "ingest/ascii.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

/// Positions of the first `kWanted` blanks, up to a control character.
constexpr int kWanted = 6;
struct Blanks {
  uint32_t at[kWanted];
  int found = 0;
  bool empty_field = false;  // one is the first byte or stands behind another

  void add(size_t position) {
    empty_field |= position == (found ? at[found - 1] + 1 : 0);
    at[found++] = uint32_t(position);
  }
};

#ifdef __SSE2__
/// A bit for each of 16 bytes that is a blank or a control character.
uint32_t marks(const char* text) {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(' ')), v);
  return uint32_t(_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)))));
}

/// The usual case with few branches: all blanks lie within 128 bytes, and no control character does. False:
/// this frame is another case.
bool find_blanks_quickly(std::string_view text, Blanks& blanks) {
  if (text.size() <= 64) return false;
  const __m128i blank = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f);
  __m128i least = blank, dels = _mm_setzero_si128();
  const auto blanks_of = [&](size_t at) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    least = _mm_min_epu8(least, v);
    dels = _mm_or_si128(dels, _mm_cmpeq_epi8(v, del));
    return uint32_t(_mm_movemask_epi8(_mm_cmpeq_epi8(v, blank)));
  };
  const auto word_of = [&](size_t at) {
    const uint32_t low = blanks_of(at) | blanks_of(at + 16) << 16;
    return low | uint64_t(blanks_of(at + 32) | blanks_of(at + 48) << 16) << 32;
  };
  const size_t second = std::min<size_t>(text.size() - 64, 64);  // the two words may overlap
  const uint64_t low = word_of(0), high = word_of(second) >> (64 - second);
  const __m128i good = _mm_andnot_si128(dels, _mm_cmpeq_epi8(least, blank));
  if (_mm_movemask_epi8(good) != 0xffff) return false;

  uint32_t* to = blanks.at;
  uint32_t* const last = to + kWanted - 1;
  uint64_t low_left = low, high_left = high;
  for (; low_left; low_left &= low_left - 1) {
    *to = uint32_t(std::countr_zero(low_left));
    if (to++ == last) break;
  }
  if (!low_left)
    for (;; high_left &= high_left - 1) {
      if (!high_left) return false;
      *to = 64 + uint32_t(std::countr_zero(high_left));
      if (to++ == last) break;
    }
  // Of the blanks but the last, one has another behind it.
  const uint64_t low_used = low ^ low_left, high_used = high ^ high_left;
  blanks.empty_field = (low & (low_used << 1 | 1)) | (high & (high_used << 1 | low_used >> 63));
  blanks.found = kWanted;
  return true;
}
#endif

/// False: there are not even five.
bool find_blanks(std::string_view text, Blanks& blanks) {
  size_t i = 0;
#ifdef __SSE2__
  if (find_blanks_quickly(text, blanks)) return true;
  for (; i + 16 <= text.size(); i += 16)
    for (uint32_t mask = marks(text.data() + i); mask; mask &= mask - 1) {
      const size_t position = i + size_t(std::countr_zero(mask));
      if (text[position] != ' ') return blanks.found >= kWanted - 1;
      blanks.add(position);
      if (blanks.found == kWanted) return true;
    }
#endif
  for (; i < text.size() && blanks.found < kWanted && !is_control(text[i]); ++i)
    if (text[i] == ' ') blanks.add(i);
  return blanks.found >= kWanted - 1;
}

/// The PRI and VERSION of `<13>1`; -1 if it is none.
int parse_pri(std::string_view text) {
  const size_t size = text.size();
  if (size < 4 || text[0] != '<' || !is_digit(text[1])) return -1;
  int pri = text[1] - '0';
  size_t i = 2;
  for (; i < 4 && is_digit(text[i]); ++i) pri = pri * 10 + (text[i] - '0');
  if (i + 1 >= size || text[i] != '>' || pri > 191 || !is_digit(text[i + 1]) || text[i + 1] == '0') return -1;
  return size == i + 2 || (size == i + 3 && is_digit(text[i + 2])) ? pri : -1;
}

/// SD-NAME, leniently.
constexpr auto kNameChars = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0x21; c < 256; ++c) table[c] = c != 0x7f && c != '=' && c != ']' && c != '"';
  return table;
}();

size_t name_end(std::string_view text, size_t at) {
  while (at < text.size() && kNameChars[uint8_t(text[at])]) ++at;
  return at;
}

/// The size of one SD-ELEMENT at the beginning of `text`, 0 if it is none. `certain`: it has a parameter, an
/// `@`, or a registered name.
size_t element_size(std::string_view text, bool& certain) {
  size_t i = name_end(text, 1);
  const std::string_view id = text.substr(1, i - 1);
  if (id.empty()) return 0;
  certain = id.find('@') != id.npos || id == "timeQuality" || id == "origin" || id == "meta";
  while (i < text.size() && text[i] == ' ') {
    const size_t name = ++i;
    i = name_end(text, name);
    if (i == name || i + 1 >= text.size() || text[i] != '=' || text[i + 1] != '"') return 0;
    for (i += 2; i < text.size() && text[i] != '"'; ++i)
      if (text[i] == '\\' || text[i] == ']') {
        if (text[i] == ']') return 0;
        ++i;
      }
    if (i >= text.size()) return 0;
    ++i;
    certain = true;
  }
  return i < text.size() && text[i] == ']' ? i + 1 : 0;
}

/// The size of the STRUCTURED-DATA at the beginning of `text`, 0 if there is none.
size_t structured_data_size(std::string_view text) {
  size_t size = 0;
  if (text.starts_with('-')) {
    size = 1;
  } else {
    bool first_certain = false, ignored = false;
    while (size < text.size() && text[size] == '[') {
      const size_t one = element_size(text.substr(size), size ? ignored : first_certain);
      if (!one) return 0;
      size += one;
    }
    if (!first_certain) return 0;
  }
  return size == text.size() || text[size] == ' ' || text.substr(size) == "\n" ? size : 0;
}

}  // namespace

bool parse_rfc5424(std::string_view frame, Syslog& out) {
  if (frame.empty() || frame[0] != '<') return false;
  Blanks blanks;
  if (!find_blanks(frame, blanks) || blanks.empty_field) return false;
  // Without a sixth blank, MSGID ends the frame (a trailing newline is not part of it).
  const bool bare = blanks.found < kWanted;
  size_t end = bare ? frame.size() : blanks.at[5];
  std::string_view message;
  if (bare && frame.back() == '\n') message = frame.substr(--end);
  if (bare && std::ranges::any_of(frame.substr(blanks.at[4], end - blanks.at[4]), is_control)) return false;
  if (end <= blanks.at[kWanted - 2] + 1) return false;
  const int pri = parse_pri(frame.substr(0, blanks.at[0]));
  if (pri < 0 || end > kMaxHeader) return false;

  const auto between = [&](uint32_t from, size_t to) {
    return std::string_view(frame.data() + from + 1, to - from - 1);
  };
  const auto& at = blanks.at;
  out.pri = uint8_t(pri);
  out.head = between(at[0], at[2]);
  out.time_size = uint16_t(at[1] - at[0] - 1);
  out.app = between(at[2], at[3]);
  out.ids = between(at[3], end);
  out.procid_size = uint16_t(at[4] - at[3] - 1);
  out.sd = "-";
  out.message = message;
  if (bare) return true;

  std::string_view rest = frame;
  rest.remove_prefix(end + 1);
  if (const size_t sd = structured_data_size(rest)) {
    if (sd > kMaxHeader - end) return false;
    out.sd = {rest.data(), sd};
    rest.remove_prefix(sd);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  out.message = rest;
  return true;
}

}  // namespace tailrace
