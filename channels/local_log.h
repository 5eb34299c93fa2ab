#pragma once
// What the logs of one process have in common: the newest records in memory, their readers, their notices.

#include <atomic>
#include <mutex>

#include "channels/log.h"
#include "channels/notices.h"
#include "channels/readers.h"
#include "channels/ring.h"

namespace tailrace {

/// One lock, held for one batch's copy or one read's look-up. What lies at visible_end() or behind is given
/// to nobody; accounts and notices go up to there. Where else records lie, and what bounds take, is the
/// store's.
class LocalLog : public Log {
 public:
  void add_notice(std::string line) override;
  std::vector<LedgerLine> ledger(uint64_t& accepted) const override;
  Progress end() const override;
  Result<Progress> since(Micros time) const override;
  bool crowded() const override { return crowded_.load(std::memory_order_relaxed); }
  void close() override;

  uint64_t attach(CursorState& cursor, const Place& place) override;
  uint64_t take_over(CursorState& cursor, CursorState& before, const Progress& from) override;
  void keep_place(CursorState& cursor, const CursorState& of) override;
  void set_trail(CursorState& cursor, uint64_t records) override;
  void succeed(CursorState& cursor, CursorState& before) override;
  void detach(CursorState& cursor) override;
  void settle(CursorState& cursor, uint64_t delivered, uint64_t filtered, Micros oldest_left) override;
  void drop(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left) override;
  Loss take_loss(CursorState& cursor) override;
  void set_waiting(CursorState& cursor, bool outside) override;
  Ledger ledger(const CursorState& cursor) const override;
  Lag lag(const CursorState& cursor) const override;

 protected:
  LocalLog(Position next, uint64_t ordinal) : ring_(next, ordinal) {}

  // ---- with the lock held ----
  virtual uint64_t visible_end() const = 0;
  /// About when the record with `ordinal`, which is below visible_end() but not in the ring, arrived.
  virtual Micros arrival_before_ring(uint64_t ordinal) const = 0;
  /// attach()
  virtual uint64_t begin_at(CursorState& cursor, const Place& place) = 0;
  /// The lowest ordinal of a record that can be read. What lies below the ring is found by since_below().
  virtual uint64_t oldest() const = 0;
  /// Some drain's progress may have changed.
  virtual void progressed() {}
  /// It left, and nobody has taken this yet.
  virtual void left(uint64_t /*drain*/, const Progress& /*last*/) {}

  // ---- without the lock ----
  /// The oldest record from `from` up to `until` that is not in the ring and arrived at `time` or later. May
  /// block.
  struct Found {
    uint64_t ordinal = 0;
    Position number;
  };
  virtual Result<std::optional<Found>> since_below(uint64_t from, uint64_t until, Micros time) const = 0;

  // ---- with the lock held, again ----
  /// The number of the record with `ordinal`, which is in the ring or will be its next.
  Position number_of(uint64_t ordinal) const;
  /// Begins a read: what does not depend on where records lie. Gives the ordinal it must end at.
  uint64_t begin_read(CursorState& cursor, Read& result);
  /// Takes from the chunk that `cursor` stands in.
  void finish_read(CursorState& cursor, uint64_t limit, uint32_t max_bytes, Read& result);
  /// Whether somebody, or the history of `history` records, needs what lies before `ordinal`.
  bool needed(uint64_t ordinal, uint64_t history) const;

  mutable std::mutex mutex_;
  Ring ring_;
  Readers readers_;
  Notices notices_;
  bool closed_ = false;
  std::atomic<bool> crowded_{false};
};

}  // namespace tailrace
