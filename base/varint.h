#pragma once
// Whole numbers in as few bytes as they need: 7 bits each, the lowest first, the top bit says that more
// follow. And doubles, in 8.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

inline void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}
/// Small ones of either sign are short.
inline void put_signed(std::string& out, int64_t value) {
  put_varint(out, (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
}
/// Little-endian, whatever the machine.
inline void put_double(std::string& out, double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  for (int i = 0; i < 64; i += 8) out += static_cast<char>(bits >> i);
}

// Each takes one from the front of `text`; false: it ends too early, or is none, and nothing is promised of
// either argument.

inline bool take_varint(std::string_view& text, uint64_t& value) {
  value = 0;
  for (unsigned i = 0; i < text.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (i == 9 && byte > 1) return false;
    value |= uint64_t{byte & 0x7fu} << (7 * i);
    if (byte & 0x80) continue;
    text.remove_prefix(i + 1);
    return true;
  }
  return false;
}
inline bool take_signed(std::string_view& text, int64_t& value) {
  uint64_t folded = 0;
  if (!take_varint(text, folded)) return false;
  value = static_cast<int64_t>((folded >> 1) ^ (0 - (folded & 1)));
  return true;
}
inline bool take_double(std::string_view& text, double& value) {
  if (text.size() < 8) return false;
  uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * i);
  value = std::bit_cast<double>(bits);
  text.remove_prefix(8);
  return true;
}
/// Length and bytes.
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}
inline bool take_text(std::string_view& from, std::string_view& text) {
  uint64_t size = 0;
  if (!take_varint(from, size) || size > from.size()) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace tailrace
