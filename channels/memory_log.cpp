#include "channels/memory_log.h"

#include <algorithm>

#include "channels/errc.h"

namespace tailrace {

MemoryLog::MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
                     MemoryPressure& pressure)
    : LocalLog(first, 0),
      channel_(channel),
      observer_(observer),
      pressure_(pressure),
      first_(first),
      limits_(limits) {}

// ---- appending -------------------------------------------------------------------------------------------

void MemoryLog::append(const Batch& batch, AppendWaiter& waiter) {
  if (channel_.removed.load(std::memory_order_relaxed))
    return waiter.appended(make_error_code(ChannelErrc::removed));
  if (pressure_.full()) return waiter.appended(make_error_code(ChannelErrc::no_room));
  thread_local std::vector<Slice> slices;
  Position first;
  {
    const std::lock_guard lock(mutex_);
    first = ring_.next();
    if (ring_.write(batch, slices)) {
      made_chunk_ = true;
      pressure_.note();
    }
    JudgingTime time;
    enforce_bounds(batch.arrival, time);
    readers_.wake(/*tails_only=*/false);
    crowded_.store(drains_lag(), std::memory_order_relaxed);
  }
  if (observer_) observer_->appended(channel_, slices);
  slices.clear();
  waiter.appended(first);
}

bool MemoryLog::drains_lag() const {
  // Half of the bytes, as records of the mean size of what is kept.
  const uint64_t mean = ring_.bytes() / std::max<uint64_t>(ring_.records(), 1);
  return mean && readers_.runner_lags(ring_.end_ordinal(), limits_.bytes / 2 / mean, 0);
}

// ---- bounds ----------------------------------------------------------------------------------------------

void MemoryLog::enforce_bounds(Micros now, JudgingTime& time) {
  while (ring_.chunks() > 1) {
    const Chunk& front = ring_.front();
    if (ring_.bytes() > limits_.bytes)
      evict_front(DropReason::overflow, now, time);
    else if (front.newest < now - limits_.age)
      evict_front(DropReason::age, now, time);
    else if (made_chunk_ && pressure_.over.load(std::memory_order_relaxed) && ring_.chunks() > 2)
      made_chunk_ = false,
      evict_front(DropReason::memory, now, time);  // one for one, until the biggest is found
    else if (!needed(front.end_ordinal(), limits_.history))
      evict_front(DropReason::age, now, time);
    else
      return;
  }
}

void MemoryLog::evict_front(DropReason reason, Micros now, JudgingTime& time) {
  readers_.lose(*ring_.pop_front(), reason, now, time);
}

void MemoryLog::expire(Micros now) {
  const std::lock_guard lock(mutex_);
  JudgingTime time;
  enforce_bounds(now, time);
  if (ring_.chunks() == 1 && ring_.front().newest < now - limits_.age)
    evict_front(DropReason::age, now, time);
}

void MemoryLog::set_limits(LogLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

bool MemoryLog::shrink() {
  const std::lock_guard lock(mutex_);
  if (!ring_.chunks()) return false;
  JudgingTime time;
  evict_front(DropReason::memory, wall_now(), time);
  return true;
}

// ---- reading ---------------------------------------------------------------------------------------------

uint64_t MemoryLog::begin_at(CursorState& cursor, const Place& place) {
  const uint64_t end = ring_.end_ordinal();
  switch (place.kind) {
    case Place::Kind::end:
      readers_.add(cursor, end, ring_.next(), end);
      cursor.next_notice = notices_.next_id();
      return 0;
    case Place::Kind::newest: {
      const uint64_t newest = end - std::min({place.records, limits_.history, ring_.records()});
      const uint64_t begin = std::max(newest, std::min(place.from, end));
      readers_.add(cursor, begin, number_of(begin), end);
      break;
    }
    case Place::Kind::behind: {
      // Numbers have no holes here, so what is gone since this start can be counted.
      const uint64_t next = place.position.value + 1;
      const bool known = next >= first_.value && next <= ring_.next().value;
      const bool oldest = place.position.value == 0;
      readers_.add(cursor,
                   known    ? next - first_.value
                   : oldest ? ring_.begin_ordinal()
                            : 0,
                   known ? Position{next} : first_, end);
      cursor.loss.unknown = !known && !oldest;
      if (cursor.loss.unknown) cursor.loss.since = wall_now();
      break;
    }
    case Place::Kind::progress:
      readers_.resume(cursor, place.stored, end);
      break;
  }
  cursor.next_notice = notices_.first_at(cursor.ordinal);
  readers_.lose(cursor, ring_.begin_ordinal(), DropReason::overflow, wall_now());
  return end - cursor.ordinal;
}

Read MemoryLog::read(CursorState& cursor, uint32_t max_bytes) {
  Read result;
  const std::lock_guard lock(mutex_);
  const uint64_t limit = begin_read(cursor, result);
  if (cursor.ordinal == ring_.end_ordinal()) return result;
  if (!cursor.at || !cursor.at->holds(cursor.ordinal))
    Readers::stand_in(cursor, *ring_.chunk_of(cursor.ordinal));
  finish_read(cursor, limit, max_bytes, result);
  return result;
}

bool MemoryLog::park(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  if (cursor.ordinal < ring_.end_ordinal()) return false;
  const bool tail = cursor.kind == CursorKind::tail;
  if (tail && (closed_ || cursor.next_notice < notices_.next_id())) return false;
  cursor.parked = true;
  cursor.at = {};  // nothing to pin
  return true;
}

LogTotals MemoryLog::totals() const {
  const std::lock_guard lock(mutex_);
  return {ring_.end_ordinal(), ring_.bytes()};
}

}  // namespace tailrace
