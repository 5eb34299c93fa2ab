#pragma once
// Where a record lies in its channel's log.
//
// Opaque and ordered (architecture, rule 1): compare positions, never subtract them; numbers may have holes,
// so how many records lie between two of them is asked of the Log.

#include <compare>
#include <cstdint>

namespace tailrace {

struct Position {
  uint64_t value = 0;  // below 2^53, so that JSON readers keep it exactly
  auto operator<=>(const Position&) const = default;
};

}  // namespace tailrace
