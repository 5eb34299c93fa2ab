#pragma once
// The cursors of one log: their accounts, losses and wake-ups. Every store's log has one.

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "channels/cursor_state.h"
#include "channels/place.h"

namespace tailrace {

/// What filters that are not cheap may take of a log's lock, in one append or the like: all its drains
/// together, in equal shares. What is not asked about within that counts as wanted, so it is lost.
struct JudgingTime {
  std::chrono::nanoseconds left = std::chrono::microseconds(500);
};

/// Not thread-safe: guarded by its log's lock, under which a pass may be woken (lock order: log, then pass).
/// Owns nothing: a cursor is listed from add() or resume() to remove().
///
/// Invariants, for each drain and with the `accepted` that the log passes in (how many records of the channel
/// a reader may have): (1) accepted = delivered + filtered + dropped + buffered, of which every term but the
/// last changes in one of the methods below alone; (2) of its progress, accepted - what lies from its ordinal
/// on = delivered + filtered + dropped.
class Readers {
 public:
  /// It reads the record with `ordinal` first, whose number is `next` or greater; `end` is the log's.
  void add(CursorState& cursor, uint64_t ordinal, Position next, uint64_t end);
  /// A drain that was there before goes on with its account; what the log has not reached is the log's end.
  void resume(CursorState& cursor, const Progress& progress, uint64_t end);
  /// Gives its progress if that was not taken yet.
  std::optional<Progress> remove(CursorState& cursor);

  /// What `cursor` reads next lies in `chunk`.
  static void stand_in(CursorState& cursor, const ChunkRef& chunk);
  /// The ordinal that a read from where it stands must end at, so that the batch that was in flight when the
  /// drain was stored becomes the same batch again; UINT64_MAX: any.
  static uint64_t end_of_frozen(const CursorState& cursor);
  /// `slice` is handed to `cursor`, which stands behind it from now on.
  void took(CursorState& cursor, const Slice& slice);

  /// The oldest in flight have come to their end. `oldest_left`: arrival of the first that is still
  /// in flight, 0: none is.
  void settled(CursorState& cursor, uint64_t delivered, uint64_t filtered, Micros oldest_left);
  void dropped(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left, Micros now);

  /// `gone` is: who had not read it has lost it, dated `now`, and is told once. What a filter did not want is
  /// no loss.
  void lose(const Chunk& gone, DropReason reason, Micros now, JudgingTime& time);
  /// The same for one cursor that met a gap, with `unwanted` of it that it did not want.
  void lose(CursorState& cursor, uint64_t before, DropReason reason, Micros now, uint64_t unwanted = 0);
  /// Records below `ordinal` are gone, but may still be found. Those with a filter are doomed to lose them
  /// when judge() or lose_doomed() came so far.
  void lose_before(uint64_t ordinal, DropReason reason, Micros now);
  void doom(CursorState& cursor, uint64_t before, DropReason reason, Micros now);
  /// What it is doomed to lose and lies in `chunk`, from its ordinal on.
  void judge(CursorState& cursor, const Chunk& chunk);
  /// What it is doomed to lose before `ordinal` cannot be judged: all of it is lost.
  void lose_doomed(CursorState& cursor, uint64_t ordinal);
  /// use(CursorState&)
  template <class F>
  void for_each_doomed(F&& use) {
    for (CursorState* cursor : all_)
      if (!cursor->doomed.empty()) use(*cursor);
  }
  /// The lowest ordinal that waits to be judged; UINT64_MAX: none does.
  uint64_t lowest_doomed() const;
  /// What `before` lost and was not told yet.
  static void inherit_loss(CursorState& cursor, CursorState& before);
  /// What it lost since the last call; the next loss is told again.
  Loss take_loss(CursorState& cursor);

  /// Whether some cursor has yet to read a record below `ordinal`.
  bool want_below(uint64_t ordinal) const;
  /// The lowest ordinal that a cursor may still ask for, its flight included; UINT64_MAX: there is none.
  uint64_t lowest() const;
  /// Whether some drain that could run, and does not wait for somebody outside, lags by more than `records`
  /// but not below `from`.
  bool runner_lags(uint64_t accepted, uint64_t records, uint64_t from) const;

  /// Wakes parked ones; each is woken once until it parks again.
  void wake(bool tails_only);
  /// Gives `chunk`, which came from a disk, to those that wait for a record in it, and wakes them.
  void fetched(const ChunkRef& chunk);
  /// There is no chunk for those that wait for `ordinal`: they are woken to look again.
  void fetched_nothing(uint64_t ordinal);
  /// The disk has nothing from `ordinal` up to `before`: those that wait for it have lost that.
  /// True: somebody did.
  bool lose_waited_for(uint64_t ordinal, uint64_t before, DropReason reason, Micros now);
  /// Those that look for the first record behind `position` read `ordinal` first.
  /// use(CursorState&) for each of them.
  template <class F>
  void found(Position position, uint64_t ordinal, F&& use) {
    for (CursorState* cursor : all_) {
      if (!cursor->seeking || cursor->next.value != position.value + 1) continue;
      cursor->seeking = false;
      cursor->ordinal = ordinal;
      use(*cursor);
    }
  }

  static Progress progress(const CursorState& cursor);
  Ledger ledger(const CursorState& cursor, uint64_t accepted) const;
  /// use(const CursorState&)
  template <class F>
  void for_each_drain(F&& use) const {
    for (const CursorState* cursor : all_)
      if (cursor->kind == CursorKind::drain) use(*cursor);
  }
  /// use(drain's id, Progress) for each drain that came further since the last call.
  template <class F>
  void take_progress(F&& use) {
    for (CursorState* cursor : all_)
      if (std::exchange(cursor->moved, false)) use(cursor->drain, progress(*cursor));
  }

 private:
  static void finish(CursorState& cursor, uint64_t records, Micros oldest_left);

  std::vector<CursorState*> all_;
};

}  // namespace tailrace
