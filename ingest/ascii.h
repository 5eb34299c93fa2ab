#pragma once
// Bytes as the syslog grammars name them (RFC 5424 section 6), whatever the locale.

#include <cstdint>

namespace tailrace {

inline bool is_digit(char c) {
  return uint8_t(c - '0') <= 9;
}

inline bool is_control(char c) {
  return uint8_t(c) < 0x20 || c == 0x7f;
}

}  // namespace tailrace
