#include "cli/line_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tailrace {
namespace {

// The length of the valid UTF-8 sequence at the start of `text`, or 0 (RFC 3629).
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return uint8_t(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80                     ? 1
                        : first >= 0xc2 && first <= 0xdf ? 2
                        : (first & 0xf0) == 0xe0         ? 3
                        : first >= 0xf0 && first <= 0xf4 ? 4
                                                         : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (length == 3 && ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f))) return 0;
  if (length == 4 && ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))) return 0;
  return length;
}

void append_hex(std::string& out, uint8_t byte) {
  constexpr char digits[] = "0123456789abcdef";
  (((out += "\\x") += digits[byte >> 4]) += digits[byte & 15]);
}

uint32_t code_point(std::string_view sequence) {
  uint32_t value = uint8_t(sequence[0]) & (0x7f >> sequence.size());
  for (const char c : sequence.substr(1)) value = value << 6 | (uint8_t(c) & 0x3f);
  return value;
}

// What reorders or breaks the line it stands in (UAX #9), and so may show what is not there.
bool turns_text(std::string_view sequence) {
  const uint32_t c = code_point(sequence);
  return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

void append_code_point(std::string& out, std::string_view sequence) {
  constexpr char digits[] = "0123456789abcdef";
  const uint32_t c = code_point(sequence);
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[c >> shift & 15];
}

// From the 256-colour cube: mid lightness, so that both black and white backgrounds carry them.
constexpr std::array<std::string_view, 14> palette = {
    "38;5;32",  "38;5;35",  "38;5;37",  "38;5;64",  "38;5;67",  "38;5;71",  "38;5;98",
    "38;5;131", "38;5;133", "38;5;136", "38;5;161", "38;5;166", "38;5;172", "38;5;69"};

}  // namespace

std::string_view LineBuffer::add(std::string_view chunk) {
  whole_.clear();
  const size_t last = chunk.rfind('\n');
  if (last == std::string_view::npos) {
    rest_ += chunk;
    return {};
  }
  whole_.swap(rest_);
  whole_ += chunk.substr(0, last + 1);
  rest_ = chunk.substr(last + 1);
  return whole_;
}

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const uint8_t first = uint8_t(text[0]);
    size_t length = sequence_length(text);
    if (length == 0) {
      append_hex(out, first);
      length = 1;
    } else if (length == 2 && first == 0xc2 && uint8_t(text[1]) < 0xa0) {
      append_hex(out, uint8_t(text[1]));
    } else if (length > 1 && turns_text(text.substr(0, length))) {
      append_code_point(out, text.substr(0, length));
    } else if (first == 0x7f || (first < 0x20 && first != '\t' && first != '\n')) {
      (out += '^') += char(first ^ 0x40);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = visible(text);
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return out;
}

std::string_view line_source(std::string_view line) {
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return {};
  const std::string_view rest = line.substr(blank + 1);
  const size_t end = rest.find("]: ");
  if (end == std::string_view::npos) return {};
  const std::string_view source = rest.substr(0, end + 1);
  const size_t open = source.find('[');
  if (open == 0 || open == std::string_view::npos || source.find(' ') != std::string_view::npos) return {};
  return source;
}

std::string_view source_color(std::string_view source) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: std::hash may change between builds
  for (const char c : source) hash = (hash ^ uint8_t(c)) * 0x100000001b3;
  return palette[(hash >> 32) % palette.size()];
}

std::string colored(std::string_view line) {
  const std::string_view source = line_source(line);
  if (source.empty()) return std::string(line);
  const size_t end = size_t(source.data() + source.size() + 1 - line.data());
  std::string out = "\x1b[";
  ((out += source_color(source)) += 'm') += line.substr(0, end);
  return (out += "\x1b[0m") += line.substr(end);
}

}  // namespace tailrace
