#pragma once
// The cursors of one log: their accounts, losses and wake-ups. Every store's log has one.

#include <cstdint>
#include <vector>

#include "channels/cursor_state.h"
#include "channels/place.h"

namespace tailrace {

/// Not thread-safe: guarded by its log's lock, under which a pass may be woken (lock order: log, then pass).
/// Owns nothing: a cursor is listed from attach to detach.
///
/// Invariant: for each drain, accepted = delivered + filtered + dropped + buffered with the `accepted` that
/// the log passes in, and every term but `buffered` changes only in one of the methods below.
class Readers {
 public:
  void add(CursorState& cursor) { all_.push_back(&cursor); }
  void remove(CursorState& cursor);

  /// `slice` was handed to `cursor`, which stands behind it now.
  void took(CursorState& cursor, const Slice& slice);

  /// The oldest `records` in flight have come to their end. `oldest_left`: arrival of the first that is still
  /// in flight, 0: none is.
  void delivered(CursorState& cursor, uint64_t records, Micros oldest_left);
  void filtered(CursorState& cursor, uint64_t records, Micros oldest_left);
  void dropped(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left);

  /// Records below `ordinal` are gone: who had not read them has lost them, dated `now`, and is told once.
  void lose_before(uint64_t ordinal, DropReason reason, Micros now);
  /// The same for one cursor that met a gap.
  void lose(CursorState& cursor, uint64_t until_ordinal, DropReason reason, Micros now);

  /// The lowest ordinal that a drain may still ask for, its flight included; UINT64_MAX: no drain.
  uint64_t lowest_of_drains() const;
  /// Whether some drain that waits for nobody outside lags by more than `records`.
  bool runner_lags(uint64_t accepted, uint64_t records) const;

  /// Wakes parked ones; each is woken once until it parks again.
  void wake(bool tails_only);
  /// Gives `chunk`, which was fetched, to those that wait for a record in it, and wakes them.
  void fetched(const ChunkRef& chunk, uint64_t first_ordinal);

  Ledger ledger(const CursorState& cursor, uint64_t accepted) const;
  /// `end`: the log's; where a cursor with nothing in flight stands if it has read everything.
  Progress progress(const CursorState& cursor, Position end) const;
  template <class F>
  void for_each_drain(F&& use) const {
    for (const CursorState* cursor : all_)
      if (cursor->kind == CursorKind::drain) use(*cursor);
  }

 private:
  std::vector<CursorState*> all_;
};

}  // namespace tailrace
