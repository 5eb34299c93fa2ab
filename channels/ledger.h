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

  struct Part {
    uint64_t records = 0;
    Micros since = 0;
    void add(const Part& more) {
      if (more.records && (!records || more.since < since)) since = more.since;
      records += more.records;
    }
  };
  Part refused, evicted;  // the same, apart: what the far end refused, and what our bounds took

  bool empty() const { return !records && !unknown; }

  void add(const Loss& more) {
    unknown |= more.unknown;
    if (!more.records) return;
    if (!records || more.since < since) since = more.since, first = more.first;
    records += more.records;
    reason = more.reason;
    refused.add(more.refused);
    evicted.add(more.evicted);
  }
  static Loss of(DropReason reason, uint64_t records, Micros since, Position first) {
    Loss loss{records, since, first, reason, false, {}, {}};
    (reason == DropReason::refused ? loss.refused : loss.evicted) = {records, since};
    return loss;
  }
  /// Leaves one of the two kinds, and gives the other.
  Loss take_second_kind() {
    if (!refused.records || !evicted.records) return {};
    Loss second = of(DropReason::refused, refused.records, refused.since, first);
    *this = of(reason == DropReason::refused ? DropReason::overflow : reason, evicted.records, evicted.since,
               first);
    return second;
  }
};

}  // namespace tailrace
