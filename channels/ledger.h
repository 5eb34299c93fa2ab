#pragma once
// The account of a drain: accepted = delivered + filtered + dropped(reason) + buffered, at every moment.

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "channels/position.h"

namespace tailrace {

/// Why a record that a drain should have had was given up.
enum class DropReason : uint8_t {
  overflow,  // the drain lagged by more than TAILRACE_CHANNEL_BYTES
  memory,    // the process was over TAILRACE_MEMORY_BYTES
  age,       // older than TAILRACE_CHANNEL_AGE
  refused,   // the far end refused this record for good
  disk,      // the data dir was over TAILRACE_DISK_BYTES
  damaged,   // the disk did not give it back
};
inline constexpr std::array<std::string_view, 6> kDropReasons{"overflow", "memory", "age",
                                                              "refused",  "disk",   "damaged"};
inline std::string_view to_string(DropReason reason) {
  return kDropReasons[size_t(reason)];
}

/// Records by the reason they were given up for.
using Drops = std::array<uint64_t, kDropReasons.size()>;

/// Counted where it happens (architecture, rule 4), never computed from the other terms; one that does not
/// add up is a bug that a test finds.
struct Ledger {
  uint64_t accepted = 0;  // from the drain's start, before its filter
  uint64_t delivered = 0, filtered = 0;
  Drops dropped{};
  uint64_t buffered = 0;  // in the log behind its position, and in flight

  uint64_t dropped_total() const {
    uint64_t sum = 0;
    for (const uint64_t n : dropped) sum += n;
    return sum;
  }
  bool balanced() const { return accepted == delivered + filtered + dropped_total() + buffered; }
};

/// How far a cursor lies behind: the records before it, those in flight included, and the arrival of the
/// oldest (0: none).
struct Lag {
  uint64_t records = 0;
  Micros oldest = 0;
};

/// What a cursor lost since it was last asked.
struct Loss {
  uint64_t records = 0;
  Micros since = 0;                          // when the first of them was given up
  Position first;                            // its number, or one before it
  DropReason reason = DropReason::overflow;  // of the latest
  // A tail came with a number that this log has not given: what lay behind that nobody knows.
  bool unknown = false;

  bool empty() const { return !records && !unknown; }
};

}  // namespace tailrace
