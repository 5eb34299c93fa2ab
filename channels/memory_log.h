#pragma once
// A channel's log in memory: a ring of chunks.

#include <atomic>
#include <functional>
#include <mutex>

#include "channels/log.h"
#include "channels/notices.h"
#include "channels/observer.h"
#include "channels/readers.h"
#include "channels/ring.h"

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
/// where the store says and have no holes; ordinals count from the log's opening.
///
/// Invariants, under the lock: (1) a cursor's ordinal lies between the ring's begin and end; (2) a parked
/// one's is the end.
class MemoryLog : public Log {
 public:
  /// `observer` (may be null) and `pressure` outlive the log.
  MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
            MemoryPressure& pressure);

  void append(const Batch& batch, AppendWaiter& waiter) override;
  void add_notice(std::string line) override;
  std::vector<LedgerLine> ledger(uint64_t& accepted) const override;
  LogTotals totals() const override;
  Progress end() const override;
  bool crowded() const override { return crowded_.load(std::memory_order_relaxed); }
  void close() override;
  void expire(Micros now) override;

  uint64_t attach(CursorState& cursor, const Place& place) override;
  void detach(CursorState& cursor) override;
  Read read(CursorState& cursor, uint32_t max_bytes) override;
  bool park(CursorState& cursor) override;
  void settle(CursorState& cursor, Outcome outcome, uint64_t records, Micros oldest_left) override;
  void drop(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left) override;
  Loss take_loss(CursorState& cursor) override;
  void set_waiting(CursorState& cursor, bool outside) override;
  Ledger ledger(const CursorState& cursor) const override;
  Lag lag(const CursorState& cursor) const override;

  /// Gives up the oldest chunk for the process's sake; false if there is none.
  bool shrink();

 private:
  // All of these are called with the lock held.
  void evict_front(DropReason reason, Micros now);
  void enforce_bounds(Micros now);
  bool needed(const Chunk& chunk) const;
  bool drains_lag() const;

  const Channel& channel_;
  const LogLimits limits_;
  AppendObserver* const observer_;
  MemoryPressure& pressure_;
  const Position first_;

  mutable std::mutex mutex_;
  Ring ring_;
  Readers readers_;
  Notices notices_;
  bool closed_ = false, made_chunk_ = false;
  std::atomic<bool> crowded_{false};
};

}  // namespace tailrace
