#include "ingest/rfc5424.h"

#include <algorithm>
#include <bit>

#include "channels/record.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

/// Positions of the first `kWanted` blanks, none of them side by side, with no control character before the
/// last.
constexpr int kWanted = 6;
struct Blanks {
  uint32_t at[kWanted];
  int found = 0;
  bool control = false;
};

bool is_control(char c) {
  return uint8_t(c) < 0x20 || c == 0x7f;
}

void scan_bytes(std::string_view text, size_t from, Blanks& blanks) {
  for (size_t i = from; i < text.size() && blanks.found < kWanted; ++i) {
    if (text[i] == ' ')
      blanks.at[blanks.found++] = uint32_t(i);
    else if (is_control(text[i])) {
      blanks.control = true;
      return;
    }
  }
}

Blanks find_blanks(std::string_view text) {
  Blanks blanks;
  size_t i = 0;
#ifdef __SSE2__
  const __m128i blank = _mm_set1_epi8(' '), low = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    auto mask = uint32_t(_mm_movemask_epi8(_mm_cmpeq_epi8(v, blank)));
    const __m128i bad = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, low), v), _mm_cmpeq_epi8(v, del));
    const auto controls = uint32_t(_mm_movemask_epi8(bad));
    for (; mask; mask &= mask - 1) {
      const auto bit = uint32_t(std::countr_zero(mask));
      if (controls & ((1u << bit) - 1)) break;
      blanks.at[blanks.found++] = uint32_t(i) + bit;
      if (blanks.found == kWanted) return blanks;
    }
    if (controls) {
      blanks.control = true;
      return blanks;
    }
  }
#endif
  scan_bytes(text, i, blanks);
  return blanks;
}

/// The PRI and VERSION of `<13>1`; -1 if it is none.
int parse_pri(std::string_view text) {
  if (text.size() < 4 || text[0] != '<') return -1;
  int pri = 0;
  size_t i = 1;
  for (; i < text.size() && i < 4 && text[i] >= '0' && text[i] <= '9'; ++i) pri = pri * 10 + (text[i] - '0');
  if (i == 1 || i >= text.size() || text[i] != '>' || pri > 191) return -1;
  const std::string_view version = text.substr(i + 1);
  if (version.empty() || version.size() > 2 || version[0] < '1' || version[0] > '9') return -1;
  if (version.size() == 2 && (version[1] < '0' || version[1] > '9')) return -1;
  return pri;
}

bool is_name_char(char c) {
  return uint8_t(c) > 0x20 && c != 0x7f && c != '=' && c != ']' && c != '"';
}

/// The size of one SD-ELEMENT at the beginning of `text`, 0 if it is none. `certain`: it has a parameter, an
/// `@`, or a registered name.
size_t element_size(std::string_view text, bool& certain) {
  size_t i = 1;
  while (i < text.size() && is_name_char(text[i])) ++i;
  const std::string_view id = text.substr(1, i - 1);
  if (id.empty()) return 0;
  certain = id.find('@') != id.npos || id == "timeQuality" || id == "origin" || id == "meta";
  while (i < text.size() && text[i] == ' ') {
    const size_t name = ++i;
    while (i < text.size() && is_name_char(text[i])) ++i;
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
  if (text.empty()) return 0;
  size_t size = 0;
  if (text[0] == '-') {
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
  const Blanks blanks = find_blanks(frame);
  if (blanks.found < kWanted - 1) return false;
  // Without a sixth blank, MSGID ends the frame (a trailing newline is not part of it).
  const bool bare = blanks.found < kWanted;
  size_t end = bare ? frame.size() : blanks.at[5];
  std::string_view message;
  if (bare && frame.back() == '\n') message = frame.substr(--end);
  if (bare && std::ranges::any_of(frame.substr(blanks.at[4], end - blanks.at[4]), is_control)) return false;
  for (int i = 1; i < kWanted; ++i) {
    const size_t next = i < blanks.found ? blanks.at[i] : end;
    if (next <= blanks.at[i - 1] + 1) return false;
  }
  const int pri = parse_pri(frame.substr(0, blanks.at[0]));
  if (pri < 0 || end > kMaxHeader) return false;

  out.pri = uint8_t(pri);
  out.head = frame.substr(blanks.at[0] + 1, blanks.at[2] - blanks.at[0] - 1);
  out.time_size = uint16_t(blanks.at[1] - blanks.at[0] - 1);
  out.app = frame.substr(blanks.at[2] + 1, blanks.at[3] - blanks.at[2] - 1);
  out.ids = frame.substr(blanks.at[3] + 1, end - blanks.at[3] - 1);
  out.procid_size = uint16_t(blanks.at[4] - blanks.at[3] - 1);
  out.sd = "-";
  out.message = message;
  if (bare) return true;

  const std::string_view rest = frame.substr(end + 1);
  const size_t sd = structured_data_size(rest);
  if (sd > kMaxHeader - end) return false;
  if (sd) out.sd = rest.substr(0, sd);
  out.message = rest.substr(sd);
  if (sd && out.message.starts_with(' ')) out.message.remove_prefix(1);
  return true;
}

}  // namespace tailrace
