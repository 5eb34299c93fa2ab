#pragma once
// A channel's log in memory: a ring of chunks.

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "channels/log.h"
#include "channels/observer.h"

namespace tailrace {

/// How much one log keeps. A chunk goes when the log is over `bytes`, when it is older than `age`, or when
/// neither the history nor a cursor needs it; a cursor that still did has lost its records, counted and told.
struct LogLimits {
  uint64_t history = 1500;    // records that readers can ask for
  uint64_t bytes = 8u << 20;  // how far an attached cursor may lag
  Micros age = Micros(7) * 86400 * 1'000'000;
};

/// The process's bound on chunk memory, as the logs see it.
struct MemoryPressure {
  const uint64_t limit;
  std::function<void()> risen;  // called once each time the limit is passed
  std::atomic<bool> over{false};

  void note() {
    if (chunk_memory().used > limit && !over.exchange(true, std::memory_order_relaxed)) risen();
  }
  /// Nothing that could be given up is left: batches in flight pin the rest. Appends say no_room.
  bool full() const {
    return over.load(std::memory_order_relaxed) && chunk_memory().used > limit + limit / 8;
  }
};

/// One lock, held for one batch's copy or one read's look-up; every append completes at once. Numbers start
/// where the store says and have no holes.
///
/// Invariants, under the lock: (1) the chunks hold consecutive numbers up to end_, each at least one;
/// (2) a cursor's next_ lies between the first chunk's first and end_; (3) a parked cursor's next_ is end_.
class MemoryLog : public Log {
 public:
  /// `observer` (may be null) and `pressure` outlive the log.
  MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
            MemoryPressure& pressure);

  void append(const Batch& batch, AppendWaiter& waiter) override;
  void add_notice(std::string line) override;
  History attach_with_history(Cursor& cursor, uint64_t records) override;
  History history(uint64_t records) const override;
  std::vector<LedgerLine> ledger(uint64_t& accepted) const override;
  LogTotals totals() const override;
  bool crowded() const override { return crowded_.load(std::memory_order_relaxed); }
  void close() override;
  void expire(Micros now) override;

  /// Gives up the oldest chunk for the process's sake; false if there is none.
  bool shrink();

 protected:
  void attach(Cursor& cursor) override;
  void detach(Cursor& cursor) override;
  Read read(Cursor& cursor, uint32_t max_bytes) override;
  bool park(Cursor& cursor) override;
  void settle(Cursor& cursor, Outcome outcome, uint64_t records, Micros oldest_left) override;
  void drop(Cursor& cursor, DropReason reason, uint64_t records, Micros oldest_left) override;
  Loss take_loss(Cursor& cursor) override;
  void set_waiting(Cursor& cursor, bool outside) override;
  Ledger ledger(const Cursor& cursor) const override;
  Cursor::Lag lag(const Cursor& cursor) const override;

 private:
  // All of these are called with the lock held.
  Chunk& chunk_with_room(uint32_t bytes);
  void write(const Batch& batch, std::vector<Slice>& slices);
  void evict_front(DropReason reason, Micros now);
  void enforce_bounds(Micros now);
  bool needed(const Chunk& chunk) const;
  void wake(bool tails_only);
  void attach_locked(Cursor& cursor);
  History history_locked(uint64_t records) const;
  const ChunkRef* chunk_of(Position position) const;
  bool locate(Cursor& cursor) const;
  uint64_t behind(const Cursor& cursor) const { return end_.value - cursor.next_.value; }
  Ledger ledger_locked(const Cursor& cursor) const;
  bool lagging_runner() const;

  const Channel& channel_;
  const LogLimits limits_;
  AppendObserver* const observer_;
  MemoryPressure& pressure_;

  mutable std::mutex mutex_;
  std::deque<ChunkRef> chunks_;
  Position end_;  // the next number
  uint64_t accepted_ = 0, records_ = 0, bytes_ = 0;
  std::vector<Cursor*> cursors_;
  Notices notices_;
  bool closed_ = false, made_chunk_ = false;
  std::atomic<bool> crowded_{false};
};

}  // namespace tailrace
