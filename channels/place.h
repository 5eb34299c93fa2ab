#pragma once
// Where a cursor begins, and how far it has come.

#include <cstdint>

#include "channels/ledger.h"
#include "channels/position.h"

namespace tailrace {

/// What a drain's next start needs: how far it has come, and its account up to there. Stored as a whole:
/// accepted = delivered + filtered + dropped + what lies from `ordinal` on, in every one of them. What was
/// lost behind a batch in flight is met again after a restart, and counted then.
struct Progress {
  Position next;         // the oldest record that has not come to its end has this number or a greater one
  uint64_t ordinal = 0;  // how many records its channel had accepted before that one
  Position frozen;       // behind the batch in flight, so that it is the same batch after a restart; 0: none
  Ledger counts;         // delivered, filtered and dropped; the other terms are the log's
};

/// Where in a log a cursor begins. What is gone by then begins with what is there; a tail is told of that as
/// a loss. A number that this log has not given begins with all that is there (Loss::unknown), 0 with the
/// oldest, and nothing is gone.
struct Place {
  enum class Kind : uint8_t { end, newest, behind, progress };
  Kind kind = Kind::end;
  uint64_t records = 0;  // newest: how many before the end
  uint64_t from = 0;     // newest: none with a lower ordinal
  Position position;     // behind: the first record it reads has a greater number
  Progress stored;       // progress: of a drain that was there before

  static Place at_end() { return {}; }
  static Place newest(uint64_t records, uint64_t from = 0) { return {Kind::newest, records, from, {}, {}}; }
  static Place behind(Position position) { return {Kind::behind, 0, 0, position, {}}; }
  static Place resume(const Progress& progress) { return {Kind::progress, 0, 0, {}, progress}; }
};

}  // namespace tailrace
