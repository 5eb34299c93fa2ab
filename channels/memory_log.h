#pragma once
// A channel's log in memory: a ring of chunks.

#include <atomic>
#include <functional>

#include "channels/local_log.h"
#include "channels/observer.h"

namespace tailrace {

/// The process's bound on chunk memory, as the logs see it.
struct MemoryPressure {
  std::atomic<uint64_t> limit;
  std::function<void()> risen;  // called once each time the limit is passed
  std::atomic<bool> over{false};

  void note() {
    if (chunk_memory().used > limit && !over.exchange(true, std::memory_order_relaxed)) risen();
  }
  /// Nothing that could be given up is left: batches in flight pin the rest. Appends say no_room.
  bool full() const {
    const uint64_t most = limit.load(std::memory_order_relaxed);
    return over.load(std::memory_order_relaxed) && chunk_memory().used > most + most / 8;
  }
};

/// One lock, held for one batch's copy or one read's look-up; every append completes at once. Numbers start
/// where the store says and have no holes; ordinals count from the log's opening.
///
/// Invariants, under the lock: (1) a cursor's ordinal lies between the ring's begin and end; (2) a parked
/// one's is the end.
class MemoryLog : public LocalLog {
 public:
  /// `observer` (may be null) and `pressure` outlive the log.
  MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
            MemoryPressure& pressure);

  void append(const Batch& batch, AppendWaiter& waiter) override;
  LogTotals totals() const override;
  void expire(Micros now) override;

  Read read(CursorState& cursor, uint32_t max_bytes) override;
  bool park(CursorState& cursor) override;

  /// From the next append or expire() on.
  void set_limits(LogLimits limits);
  /// Gives up the oldest chunk for the process's sake; false if there is none.
  bool shrink();

 private:
  // All of these are called with the lock held.
  uint64_t visible_end() const override { return ring_.end_ordinal(); }
  Micros arrival_before_ring(uint64_t /*ordinal*/) const override { return 0; }  // there is nothing
  uint64_t oldest() const override { return ring_.begin_ordinal(); }
  uint64_t begin_at(CursorState& cursor, const Place& place) override;
  Result<std::optional<Found>> since_below(uint64_t, uint64_t, Micros) const override {
    return std::optional<Found>();
  }
  void evict_front(DropReason reason, Micros now, JudgingTime& time);
  void enforce_bounds(Micros now, JudgingTime& time);
  bool drains_lag() const;

  const Channel& channel_;
  AppendObserver* const observer_;
  MemoryPressure& pressure_;
  const Position first_;
  LogLimits limits_;  // guarded by mutex_
  bool made_chunk_ = false;
};

}  // namespace tailrace
