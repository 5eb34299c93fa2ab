#pragma once
// The time a record says it was written at.

#include <array>
#include <cstddef>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

/// Reads TIME fields. Keeps what it made of the last minute and zone, so that the next line of that minute
/// costs a few ns. One per thread, not thread-safe.
class LineTime {
 public:
  /// `time`: a record's TIME. Its time as parse_rfc3339() reads it; `arrival` if it is `-` or anything else.
  Micros read(std::string_view time, Micros arrival);

 private:
  bool read_micros(std::string_view time, Micros& out) const;
  Micros read_anew(std::string_view time, Micros arrival);

  static constexpr size_t kPrefix = 17;  // `2026-11-21T01:02:`
  std::array<char, kPrefix> prefix_{};
  std::array<char, 6> zone_{};  // `Z`, `+00:00`
  size_t zone_size_ = 0;        // 0: nothing is kept
  uint64_t zone_word_ = 0;      // the zone as the first bytes of a word
  Micros minute_ = 0;           // of prefix and zone
};

}  // namespace tailrace
