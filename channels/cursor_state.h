#pragma once
// What a log knows of one cursor. The door between a Cursor, which belongs to its loop, and the log.

#include <vector>

#include "base/pass.h"
#include "channels/chunk.h"
#include "channels/ledger.h"
#include "channels/record_filter.h"

namespace tailrace {

enum class CursorKind : uint8_t {
  drain,  // keeps an account; its losses are told
  tail,   // reads notices too; what it reads is settled at once
  place,  // reads nothing and is never woken; what lies behind it is kept for who comes back
};

/// Lives in its Cursor, which hands it to the log's methods; from attach to detach every field is guarded by
/// the log's lock, because eviction, wake-ups and fetched chunks come from other threads. No log is a friend
/// of Cursor: this struct is all that they share.
///
/// Invariants, under the lock: (1) a parked one has nothing to read, or waits for a fetch; (2) in a chunk
/// whose first ordinal is `at_first`, the record with `ordinal` lies at byte `at_bytes`; (3) what was read in
/// `flying` comes to `in_flight`, and its first run was read, not lost.
struct CursorState {
  CursorState(CursorKind its_kind, Pass& its_pass, Task& its_task, uint64_t its_drain)
      : kind(its_kind), pass(&its_pass), task(&its_task), drain(its_drain) {}
  CursorState() : kind(CursorKind::place), pass(nullptr), task(nullptr), drain(0) {}

  // What every append looks at lies together.
  const CursorKind kind;
  bool parked = false, waiting = false, loss_told = false;
  bool fetching = false;  // what comes next was asked of a disk
  bool seeking = false;   // where the first number from `next` on lies was asked of a disk
  bool moved = false;     // its progress differs from what was taken last
  uint64_t ordinal = 0;   // how many of the channel's records lie before what it reads next
  uint64_t trail = 0;     // of a tail: so many that it read last are kept as if it had yet to read them
  Pass* const pass;
  Task* const task;

  Position next;          // what it reads next has this number or a greater one
  uint64_t boundary = 0;  // the log's end when it was attached, an ordinal
  ChunkRef at;            // where that lies, if it is at hand
  uint32_t at_bytes = 0;  // outlives `at`: a walk from the chunk's begin costs more than the read
  uint64_t at_first = UINT64_MAX;
  uint64_t next_notice = 0;

  // Of a drain: from the oldest record that has not come to its end on, oldest first; what was lost in
  // between comes to its end in its turn. One run unless something was lost or numbers have a hole; two that
  // were lost never adjoin.
  struct Run {
    Position first{};
    uint64_t records = 0;
    bool lost = false;
    Drops dropped{};        // of what was lost
    uint64_t filtered = 0;  // the same, where the drain did not want it
    Position past() const { return {first.value + records}; }
  };
  std::vector<Run> flying;
  Position frozen;  // behind what was in flight when it was stored, before this start
  uint64_t in_flight = 0;
  Micros in_flight_oldest = 0;

  // With a filter: bounds took these from it, from `ordinal` on, and it is not known yet which of them it
  // wanted; until then they count as buffered, and nothing is read. Rising.
  struct Doomed {
    uint64_t until;
    DropReason reason;
    Micros since;
  };
  std::vector<Doomed> doomed;

  RecordFilterPtr wanted;
  const uint64_t drain;          // DrainEntry::id; 0: a tail
  uint64_t accepted_before = 0;  // its channel's, when it began; less what came again, so it may wrap
  Ledger counts;                 // delivered, filtered, dropped
  Loss loss;
};

}  // namespace tailrace
