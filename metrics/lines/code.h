#pragma once
// Heroku's error codes: `H12`, `R14`, `L10`.

#include <array>
#include <cstdint>
#include <string_view>

namespace tailrace {

inline constexpr int kCodes = 300, kNoCode = -1;

/// A code as a small number: H00 to H99, then R, then L. kNoCode unless `text` is [HRL] and two digits.
constexpr int code_number(std::string_view text) {
  if (text.size() != 3) return kNoCode;
  const int letter = text[0] == 'H' ? 0 : text[0] == 'R' ? 1 : text[0] == 'L' ? 2 : -1;
  const auto tens = static_cast<unsigned>(text[1] - '0'), ones = static_cast<unsigned>(text[2] - '0');
  if (letter < 0 || tens > 9 || ones > 9) return kNoCode;
  return letter * 100 + static_cast<int>(tens * 10 + ones);
}

constexpr bool is_router_code(int code) {
  return code >= 0 && code < 100;
}

constexpr std::array<char, 3> code_text(int code) {
  return {"HRL"[code / 100], static_cast<char>('0' + code / 10 % 10), static_cast<char>('0' + code % 10)};
}

/// The code of a text that begins `Error H12` with a word's end behind it, as in `Error R14 (Memory quota
/// exceeded)`. Anyone may print that: ask only for records of APP heroku.
constexpr int leading_code(std::string_view message) {
  if (message.size() < 9 || message.substr(0, 6) != "Error ") return kNoCode;
  if (message.size() > 9) {
    const char c = message[9];
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
      return kNoCode;
  }
  return code_number(message.substr(6, 3));
}

}  // namespace tailrace
