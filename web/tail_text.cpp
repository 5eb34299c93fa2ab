#include "web/tail_text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

#include "channels/syslog_names.h"

namespace tailrace {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr size_t kBlock = 16;    // bytes that are looked at together
constexpr size_t kDearest = 6;   // bytes that one may become: \u00XX
constexpr size_t kObject = 256;  // of an object: names, number, severity, facility, quotes

/// Room of this thread's for at least `size` bytes, and a block behind them that may be written over.
char* room_for(size_t size) {
  thread_local std::unique_ptr<char[]> bytes;
  thread_local size_t room = 0;
  if (size + kBlock > room) {
    room = std::max<size_t>(size + kBlock, 64 * 1024);
    bytes = std::make_unique_for_overwrite<char[]>(room);
  }
  return bytes.get();
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// ---- JSON strings ----------------------------------------------------------------------------------------

/// Bytes of the character at the front, or, if it is none, of its longest beginning (1 at least).
struct Character {
  size_t bytes;
  bool valid;
};
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? uint8_t(text[i]) : uint8_t{0}; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {1, true};
  const size_t size = lead >= 0xc2 && lead <= 0xdf   ? 2
                      : lead >= 0xe0 && lead <= 0xef ? 3
                      : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                     : 1;
  if (size == 1) return {1, false};
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return {1, false};
  for (size_t i = 2; i < size; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xbf) return {i, false};
  return {size, true};
}

bool is_plain(char c) {
  return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/// How an ASCII byte that is not plain is written.
struct Escape {
  std::array<char, 8> text{};
  uint8_t size = 0;
};
constexpr std::array<Escape, 128> kEscapes = [] {
  std::array<Escape, 128> all{};
  constexpr std::string_view hex = "0123456789abcdef";
  for (size_t c = 0; c < 128; ++c) all[c] = {{'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6};
  constexpr std::string_view bytes = "\b\t\n\f\r\"\\", letters = "btnfr\"\\";
  for (size_t i = 0; i < bytes.size(); ++i) all[size_t(bytes[i])] = {{'\\', letters[i]}, 2};
  return all;
}();

#if defined(__SSE2__)
/// A bit for each of 16 bytes that is not plain.
unsigned special(__m128i block) {
  const __m128i control_or_high = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  return unsigned(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control_or_high, quote), _mm_or_si128(backslash, del))));
}
#endif

/// Plain bytes are copied. Both pointers move to the first other byte, or to `end`. Up to `readable`, which
/// is not before `end`, there is memory; a block may be written behind what is copied.
void copy_plain(char*& to, const char*& from, const char* end, const char* readable) {
#if defined(__SSE2__)
  while (readable - from >= std::ptrdiff_t(kBlock)) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
    const auto plain = size_t(std::countr_zero(special(block) | 1u << kBlock));
    const size_t here = std::min(plain, size_t(end - from));
    from += here;
    to += here;
    if (here < kBlock) return;
  }
#else
  (void)readable;
#endif
  while (from != end && is_plain(*from)) *to++ = *from++;
}

/// Between the quotes. `text` becomes kDearest times as many bytes at most.
char* put_escaped(char* to, std::string_view text, const char* readable) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (true) {
    copy_plain(to, from, end, readable);
    if (from == end) return to;
    if (*from >= 0) {
      const Escape& escape = kEscapes[size_t(*from++)];
      std::memcpy(to, escape.text.data(), escape.text.size());
      to += escape.size;
      continue;
    }
    do {
      const Character c = first_character({from, size_t(end - from)});
      to = put(to, c.valid ? std::string_view(from, c.bytes) : kReplacement);
      from += c.bytes;
    } while (from != end && *from < 0);
  }
}

// ---- records and notices ---------------------------------------------------------------------------------

char* put_number(char* to, uint64_t number) {
  return std::to_chars(to, to + 20, number).ptr;
}

std::string_view shown(std::string_view message) {
  if (message.ends_with('\n')) message.remove_suffix(1);
  return message;
}

size_t object_room(const Record& record) {
  return kObject + kDearest * record.text().size();
}

char* put_fields(char* to, Position position, const Record& record) {
  const char* const readable = record.text().data() - sizeof(EntryHeader) + record.stride();
  const auto field = [&](std::string_view name, std::string_view value) {
    to = put_escaped(put(to, name), value, readable);
  };
  to = put_number(put(to, "\"seq\":"), position.value);
  field(",\"time\":\"", record.time());
  field("\",\"app\":\"", record.app());
  field("\",\"procid\":\"", record.procid());
  field("\",\"msgid\":\"", record.msgid());
  field("\",\"host\":\"", record.host());
  to = put(put(to, "\",\"severity\":\""), kSeverityNames[size_t(record.severity())]);
  to = put(put(to, "\",\"facility\":\""), kFacilityNames[size_t(record.facility())]);
  field("\",\"message\":\"", shown(record.message()));
  *to++ = '"';
  return to;
}

/// The line alone, or in a frame with its number.
void append_line(std::string& out, bool framed, Position position, const Record& record) {
  const std::string_view time = record.time(), app = record.app(), procid = record.procid();
  const std::string_view message = shown(record.message());
  char* const begin = room_for(record.text().size() + 64);
  char* to = begin;
  if (framed) {
    *(to = put_number(to, position.value))++ = ' ';
    *(to = put_number(to, time.size() + app.size() + procid.size() + message.size() + 6))++ = '\n';
  }
  to = put(to, time);
  *to++ = ' ';
  to = put(to, app);
  *to++ = '[';
  to = put(put(put(to, procid), "]: "), message);
  *to++ = '\n';
  out.append(begin, to);
}

/// `TIME APP[PROCID]: TEXT`; what is no such line is all text.
struct NoticeParts {
  explicit NoticeParts(std::string_view line) : text(line) {
    const size_t blank = line.find(' '), bracket = line.find('[', blank), colon = line.find("]: ", bracket);
    if (blank == line.npos || bracket == line.npos || colon == line.npos) return;
    time = line.substr(0, blank);
    app = line.substr(blank + 1, bracket - blank - 1);
    procid = line.substr(bracket + 1, colon - bracket - 1);
    text = line.substr(colon + 3);
  }
  std::string_view time, app = "tailrace", procid = "tail", text;
};

}  // namespace

void append_record(std::string& out, TailForm form, Position position, const Record& record) {
  if (form == TailForm::text || form == TailForm::lines)
    return append_line(out, form == TailForm::lines, position, record);
  const bool event = form == TailForm::events;
  char* const begin = room_for(object_room(record));
  char* to = begin;
  if (event) to = put(put_number(put(to, "id: "), position.value), "\ndata: ");
  *to++ = '{';
  to = put(put_fields(to, position, record), event ? "}\n\n" : "}\n");
  out.append(begin, to);
}

void append_notice(std::string& out, TailForm form, std::string_view line) {
  if (form == TailForm::lines) ((out += "- ") += std::to_string(line.size() + 1)) += '\n';
  if (form == TailForm::text || form == TailForm::lines) {
    (out += line) += '\n';
    return;
  }
  const bool event = form == TailForm::events;
  const NoticeParts parts(line);
  const auto field = [&out](std::string_view name, std::string_view value) {
    append_json_string(out += name, value);
  };
  if (event) out += "data: ";
  field("{\"time\":", parts.time);
  field(",\"app\":", parts.app);
  field(",\"procid\":", parts.procid);
  out += R"(,"msgid":"-","host":"tailrace","severity":"warning","facility":"local5")";
  field(",\"message\":", parts.text);
  out += event ? "}\n\n" : "}\n";
}

void append_heartbeat(std::string& out, TailForm form, Position position) {
  if (form == TailForm::lines)
    (out += std::to_string(position.value)) += " 0\n";
  else
    ((out += "id: ") += std::to_string(position.value)) += "\n\n";
}

void append_json_fields(std::string& out, Position position, const Record& record) {
  char* const begin = room_for(object_room(record));
  out.append(begin, put_fields(begin, position, record));
}

void append_json_string(std::string& out, std::string_view text) {
  char* const begin = room_for(kDearest * text.size() + 2);
  *begin = '"';
  char* to = put_escaped(begin + 1, text, text.data() + text.size());
  *to++ = '"';
  out.append(begin, to);
}

}  // namespace tailrace
