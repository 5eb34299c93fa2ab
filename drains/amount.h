#pragma once
// Numbers with a unit, as they stand in messages and in filters: `500`, `1.5s`, `30000ms`, `512MB`.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tailrace {

struct Amount {
  enum class Kind : uint8_t { plain, time, bytes };
  Kind kind = Kind::plain;
  double number = 0;  // without its unit
  double value = 0;   // in microseconds, in bytes, or the number
};

/// All of `text`, 100 bytes at most: a sign, a decimal of the form `8`, `8.5`, `.5` or `8e3`, and `us`, `ms`,
/// `s`, `m`, `h`, `B`, `kB`, `KB`, `MB`, `GB` (powers of 1,024) or nothing. None if it is anything else.
/// Equal amounts have equal values, in whatever units, while the digits times the unit are below 2^53.
std::optional<Amount> parse_amount(std::string_view text);

}  // namespace tailrace
