#include "ingest/json_record.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/text.h"
#include "base/time_text.h"
#include "channels/record.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tailrace {
namespace {

/// A value of the object as it stands in the line.
struct Value {
  enum class Kind : uint8_t { none, string, number, other };
  Kind kind = Kind::none;
  bool escaped;       // a string with a backslash in it
  const char* begin;  // a string without its quotes, or the number; of other kinds nothing is kept
  size_t size;

  std::string_view text() const { return {begin, size}; }
};

enum Field { kMessage, kTime, kHost, kApp, kProcid, kMsgid, kSeverity, kFields };
constexpr std::string_view kNames[kFields] = {"message", "time",  "host",    "app",
                                              "procid",  "msgid", "severity"};
constexpr size_t kLongestKey = 8 * 6;  // `severity`, each letter as \uXXXX

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// Four hex digits at `at`; -1 if they are none.
int hex4(std::string_view text, size_t at) {
  if (text.size() < at + 4) return -1;
  int value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/// Checks RFC 8259's grammar from the left to the right. Each take… says whether what it takes stands there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  void blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool at_end() const { return at_ == end_; }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool take_string(Value& out) {
    if (!take('"')) return false;
    const char* const begin = at_;
    out.kind = Value::Kind::string;
    out.escaped = false;
    for (;;) {
      skip_plain();
      if (at_ == end_ || uint8_t(*at_) < 0x20) return false;
      if (*at_ == '"') break;
      out.escaped = true;
      if (!take_escape()) return false;
    }
    out.begin = begin;
    out.size = size_t(at_++ - begin);
    return true;
  }

  /// `"key" :`, up to the value.
  bool take_key(Value& key) {
    if (!take_string(key)) return false;
    blanks();
    if (!take(':')) return false;
    blanks();
    return true;
  }

  /// `depth`: of the containers around the value.
  bool take_value(Value& out, int depth) {
    if (at_ == end_) return false;
    out.kind = Value::Kind::other;
    switch (*at_) {
      case '"':
        return take_string(out);
      case '{':
      case '[':
        return skip_container(depth);
      case 't':
        return take_word("true");
      case 'f':
        return take_word("false");
      case 'n':
        return take_word("null");
      default:
        return take_number(out);
    }
  }

 private:
  /// Up to a quote, a backslash, a control character or the end.
  void skip_plain() {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x1f);
    for (; end_ - at_ >= 16; at_ += 16) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const __m128i stops = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
                                         _mm_cmpeq_epi8(_mm_min_epu8(v, low), v));
      if (const auto mask = uint32_t(_mm_movemask_epi8(stops))) {
        at_ += std::countr_zero(mask);
        return;
      }
    }
#endif
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && uint8_t(*at_) >= 0x20) ++at_;
  }

  bool take_escape() {
    if (end_ - at_ < 2) return false;
    const char c = at_[1];
    if (c == 'u') {
      if (hex4({at_, end_}, 2) < 0) return false;
      at_ += 6;
      return true;
    }
    at_ += 2;
    return c && std::strchr("\"\\/bfnrt", c);
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool take_digits() {
    const char* const begin = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ > begin;
  }

  bool take_number(Value& out) {
    const char* const begin = at_;
    take('-');
    if (!take('0') && !take_digits()) return false;
    if (take('.') && !take_digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!take_digits()) return false;
    }
    out.kind = Value::Kind::number;
    out.escaped = false;
    out.begin = begin;
    out.size = size_t(at_ - begin);
    return true;
  }

  /// An array or object that nobody asks for, without recursion: a bit says of each open one what it is.
  bool skip_container(int depth) {
    static_assert(kMaxJsonDepth <= 64);
    uint64_t objects = 0;  // bit 0: the innermost
    const int outside = depth;
    Value ignored;
    for (;;) {  // a value stands here
      const bool object = at_ < end_ && *at_ == '{';
      if (object || (at_ < end_ && *at_ == '[')) {
        if (depth == kMaxJsonDepth) return false;
        ++depth;
        objects = objects << 1 | uint64_t(object);
        ++at_;
        blanks();
        if (!take(object ? '}' : ']')) {
          if (object && !take_key(ignored)) return false;
          continue;
        }
        --depth;
        objects >>= 1;
      } else if (!take_value(ignored, depth)) {
        return false;
      }
      // A value has ended, and perhaps what it stands in.
      for (;;) {
        if (depth == outside) return true;
        blanks();
        if (take(',')) break;
        if (!take(objects & 1 ? '}' : ']')) return false;
        --depth;
        objects >>= 1;
      }
      blanks();
      if ((objects & 1) && !take_key(ignored)) return false;
    }
  }

  const char* at_;
  const char* const end_;
};

char* put_utf8(char* to, uint32_t c) {
  if (c < 0x80) {
    *to++ = char(c);
  } else if (c < 0x800) {
    *to++ = char(0xc0 | c >> 6);
    *to++ = char(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *to++ = char(0xe0 | c >> 12);
    *to++ = char(0x80 | (c >> 6 & 0x3f));
    *to++ = char(0x80 | (c & 0x3f));
  } else {
    *to++ = char(0xf0 | c >> 18);
    *to++ = char(0x80 | (c >> 12 & 0x3f));
    *to++ = char(0x80 | (c >> 6 & 0x3f));
    *to++ = char(0x80 | (c & 0x3f));
  }
  return to;
}

bool is_high(int unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
bool is_low(int unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

/// What a string without mistakes stands for; never longer than it. Returns the end.
char* unescape(std::string_view text, char* to) {
  static constexpr std::string_view kLetters = "bfnrt", kMeaning = "\b\f\n\r\t";
  for (size_t at = 0;;) {
    const size_t slash = std::min(text.find('\\', at), text.size());
    to = std::copy(text.begin() + long(at), text.begin() + long(slash), to);
    if (slash == text.size()) return to;
    const char c = text[slash + 1];
    at = slash + 2;
    if (c != 'u') {
      const size_t letter = kLetters.find(c);
      *to++ = letter == kLetters.npos ? c : kMeaning[letter];
      continue;
    }
    auto unit = uint32_t(hex4(text, at));
    at += 4;
    if (is_high(int(unit)) && text.substr(at).starts_with("\\u") && is_low(hex4(text, at + 2))) {
      unit = 0x10000 + (unit - 0xd800) * 0x400 + uint32_t(hex4(text, at + 2) - 0xdc00);
      at += 6;
    } else if (is_high(int(unit)) || is_low(int(unit))) {
      unit = 0xfffd;
    }
    to = put_utf8(to, unit);
  }
}

std::string_view string_of(const Value& value, Arena& arena) {
  if (!value.escaped) return value.text();
  char* const begin = arena.take(value.text().size());
  char* const end = unescape(value.text(), begin);
  arena.give_back(value.text().size() - size_t(end - begin));
  return {begin, end};
}

int field_of(const Value& key) {
  std::string_view name = key.text();
  char plain[kLongestKey];
  if (key.escaped) {
    if (name.size() > kLongestKey) return -1;
    name = {plain, unescape(name, plain)};
  }
  for (int f = 0; f < kFields; ++f)
    if (kNames[f] == name) return f;
  return -1;
}

bool is_blank_or_control(char c) {
  return uint8_t(c) <= ' ' || c == 0x7f;
}

/// A field of the header: no blank and no control character.
std::string_view header_field(const Value& value, Arena& arena) {
  if (value.kind != Value::Kind::string) return {};
  const std::string_view text = string_of(value, arena);
  if (std::ranges::none_of(text, is_blank_or_control)) return text;
  char* const out = arena.take(text.size());
  std::ranges::replace_copy_if(text, out, is_blank_or_control, '_');
  return {out, text.size()};
}

int severity_of(const Value& value, Arena& arena) {
  static constexpr struct {
    std::string_view name;
    int severity;
  } kSeverities[] = {{"emerg", 0}, {"emergency", 0},     {"alert", 1}, {"crit", 2},    {"critical", 2},
                     {"err", 3},   {"error", 3},         {"warn", 4},  {"warning", 4}, {"notice", 5},
                     {"info", 6},  {"informational", 6}, {"debug", 7}};
  if (value.kind != Value::Kind::string && value.kind != Value::Kind::number) return -1;
  const std::string_view text = string_of(value, arena);
  if (text.size() == 1 && text[0] >= '0' && text[0] <= '7') return text[0] - '0';
  for (const auto& [name, severity] : kSeverities)
    if (iequals(name, text)) return severity;
  return -1;
}

bool scan(std::string_view line, Value (&values)[kFields]) {
  Scanner in(line);
  in.blanks();
  if (!in.take('{')) return false;
  in.blanks();
  bool last = in.take('}');
  while (!last) {
    Value key, value;
    if (!in.take_key(key) || !in.take_value(value, 1)) return false;
    if (const int field = field_of(key); field >= 0) values[field] = value;
    in.blanks();
    last = in.take('}');
    if (!last && !in.take(',')) return false;
    in.blanks();
  }
  in.blanks();
  return in.at_end();
}

}  // namespace

JsonVerdict parse_json_record(std::string_view line, Arena& arena, JsonRecord& out) {
  Value values[kFields];
  if (!scan(line, values) || values[kMessage].kind != Value::Kind::string) return JsonVerdict::malformed;

  out = {};
  if (values[kTime].kind == Value::Kind::string) {
    const std::string_view time = string_of(values[kTime], arena);
    if (parse_rfc3339(time)) out.time = time;
  }
  out.host = header_field(values[kHost], arena);
  out.app = header_field(values[kApp], arena);
  out.msgid = header_field(values[kMsgid], arena);
  if (values[kProcid].kind == Value::Kind::number)
    out.procid = values[kProcid].text();
  else
    out.procid = header_field(values[kProcid], arena);
  out.severity = severity_of(values[kSeverity], arena);
  constexpr size_t kRest = sizeof "<191>1      -";
  if (kRest + out.time.size() + out.host.size() + out.app.size() + out.procid.size() + out.msgid.size() >
      kMaxHeader)
    return JsonVerdict::too_long;
  out.message = string_of(values[kMessage], arena);
  return JsonVerdict::ok;
}

}  // namespace tailrace
