#include "channels/memory_log.h"

#include <algorithm>

#include "channels/errc.h"

namespace tailrace {

MemoryLog::MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
                     MemoryPressure& pressure)
    : channel_(channel),
      limits_(limits),
      observer_(observer),
      pressure_(pressure),
      first_(first),
      ring_(first, 0) {}

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
    enforce_bounds(batch.arrival);
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
  return mean && readers_.runner_lags(ring_.end_ordinal(), limits_.bytes / 2 / mean);
}

void MemoryLog::add_notice(std::string line) {
  const std::lock_guard lock(mutex_);
  notices_.add(ring_.end_ordinal(), std::move(line));
  readers_.wake(/*tails_only=*/true);
}

void MemoryLog::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  readers_.wake(/*tails_only=*/true);
}

// ---- bounds ----------------------------------------------------------------------------------------------

void MemoryLog::enforce_bounds(Micros now) {
  while (ring_.chunks() > 1) {
    const Chunk& front = ring_.front();
    if (ring_.bytes() > limits_.bytes)
      evict_front(DropReason::overflow, now);
    else if (front.newest < now - limits_.age)
      evict_front(DropReason::age, now);
    else if (made_chunk_ && pressure_.over.load(std::memory_order_relaxed) && ring_.chunks() > 2)
      made_chunk_ = false, evict_front(DropReason::memory, now);  // one for one, until the biggest is found
    else if (!needed(front))
      evict_front(DropReason::age, now);
    else
      return;
  }
}

bool MemoryLog::needed(const Chunk& chunk) const {
  return ring_.records() - chunk.count < limits_.history || readers_.want_below(chunk.end_ordinal());
}

void MemoryLog::evict_front(DropReason reason, Micros now) {
  ring_.pop_front();
  readers_.lose_before(ring_.begin_ordinal(), reason, now);
}

void MemoryLog::expire(Micros now) {
  const std::lock_guard lock(mutex_);
  enforce_bounds(now);
  if (ring_.chunks() == 1 && ring_.front().newest < now - limits_.age) evict_front(DropReason::age, now);
}

bool MemoryLog::shrink() {
  const std::lock_guard lock(mutex_);
  if (!ring_.chunks()) return false;
  evict_front(DropReason::memory, wall_now());
  return true;
}

// ---- reading ---------------------------------------------------------------------------------------------

uint64_t MemoryLog::attach(CursorState& cursor, const Place& place) {
  const std::lock_guard lock(mutex_);
  const uint64_t end = ring_.end_ordinal();
  switch (place.kind) {
    case Place::Kind::end:
      readers_.add(cursor, end, ring_.next(), end);
      cursor.next_notice = notices_.next_id();
      return 0;
    case Place::Kind::newest:
      readers_.add(cursor, end - std::min({place.records, limits_.history, ring_.records()}), {}, end);
      break;
    case Place::Kind::behind: {
      // Numbers have no holes here, so what is gone since this start can be counted.
      const uint64_t next = std::max(place.position.value + 1, first_.value) - first_.value;
      readers_.add(cursor, std::min(next, end), {place.position.value + 1}, end);
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

void MemoryLog::detach(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  readers_.remove(cursor);
}

Read MemoryLog::read(CursorState& cursor, uint32_t max_bytes) {
  Read result;
  const std::lock_guard lock(mutex_);
  uint64_t limit = ring_.end_ordinal();
  result.live = cursor.ordinal >= cursor.boundary;
  if (!result.live) limit = cursor.boundary;
  if (cursor.kind == CursorKind::tail) {
    result.loss = readers_.take_loss(cursor);
    limit = std::min(limit, notices_.take_due(cursor.next_notice, cursor.ordinal, result.notices));
  }
  if (cursor.ordinal == ring_.end_ordinal()) return result;
  if (!cursor.at || !cursor.at->holds(cursor.ordinal))
    Readers::stand_in(cursor, *ring_.chunk_of(cursor.ordinal));
  limit = std::min(limit, Readers::end_of_frozen(cursor));
  result.slice = cut(cursor.at, cursor.ordinal, cursor.at_bytes, limit, max_bytes);
  readers_.took(cursor, result.slice);
  result.unfinished = cursor.frozen.value != 0;
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

// ---- accounts --------------------------------------------------------------------------------------------

void MemoryLog::settle(CursorState& cursor, Outcome outcome, uint64_t records, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  if (outcome == Outcome::delivered)
    readers_.delivered(cursor, records, oldest_left);
  else
    readers_.filtered(cursor, records, oldest_left);
}

void MemoryLog::drop(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  readers_.dropped(cursor, reason, records, oldest_left, wall_now());
}

Loss MemoryLog::take_loss(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  return readers_.take_loss(cursor);
}

void MemoryLog::set_waiting(CursorState& cursor, bool outside) {
  const std::lock_guard lock(mutex_);
  cursor.waiting = outside;
}

Ledger MemoryLog::ledger(const CursorState& cursor) const {
  const std::lock_guard lock(mutex_);
  return readers_.ledger(cursor, ring_.end_ordinal());
}

std::vector<LedgerLine> MemoryLog::ledger(uint64_t& accepted) const {
  const std::lock_guard lock(mutex_);
  accepted = ring_.end_ordinal();
  std::vector<LedgerLine> lines;
  readers_.for_each_drain(
      [&](const CursorState& c) { lines.push_back({c.drain, readers_.ledger(c, accepted)}); });
  return lines;
}

Lag MemoryLog::lag(const CursorState& cursor) const {
  const std::lock_guard lock(mutex_);
  Lag lag{readers_.ledger(cursor, ring_.end_ordinal()).buffered, 0};
  if (cursor.in_flight)
    lag.oldest = cursor.in_flight_oldest;
  else if (lag.records)
    lag.oldest = ring_.arrival(cursor.ordinal);
  return lag;
}

Progress MemoryLog::end() const {
  const std::lock_guard lock(mutex_);
  return {ring_.next(), ring_.end_ordinal(), {}, {}};
}

LogTotals MemoryLog::totals() const {
  const std::lock_guard lock(mutex_);
  return {ring_.end_ordinal(), ring_.bytes()};
}

}  // namespace tailrace
