#include "channels/memory_log.h"

#include <algorithm>

#include "channels/errc.h"

namespace tailrace {

MemoryLog::MemoryLog(const Channel& channel, LogLimits limits, Position first, AppendObserver* observer,
                     MemoryPressure& pressure)
    : channel_(channel), limits_(limits), observer_(observer), pressure_(pressure), end_(first) {}

// ---- appending -------------------------------------------------------------------------------------------

void MemoryLog::append(const Batch& batch, AppendWaiter& waiter) {
  if (channel_.removed.load(std::memory_order_relaxed))
    return waiter.appended(make_error_code(ChannelErrc::removed));
  if (pressure_.full()) return waiter.appended(make_error_code(ChannelErrc::no_room));
  thread_local std::vector<Slice> slices;
  Position first;
  {
    const std::lock_guard lock(mutex_);
    first = end_;
    write(batch, slices);
    enforce_bounds(batch.arrival);
    wake(/*tails_only=*/false);
    crowded_.store(lagging_runner(), std::memory_order_relaxed);
  }
  if (observer_) observer_->appended(channel_, slices);
  slices.clear();
  waiter.appended(first);
}

void MemoryLog::write(const Batch& batch, std::vector<Slice>& slices) {
  for (const NewRecord& record : batch) {
    const auto size = uint32_t(entry_size(record.text_size()));
    Chunk& chunk = chunk_with_room(size);
    if (slices.empty() || slices.back().chunk != chunks_.back())
      slices.push_back({chunks_.back(), chunk.end, chunk.end, 0, end_});
    write_entry(record, batch.arrival, chunk.data() + chunk.end);
    chunk.end += size;
    ++chunk.count;
    chunk.newest = batch.arrival;
    ++end_.value;
    slices.back().end_at = chunk.end;
    ++slices.back().records;
  }
  accepted_ += batch.records;
  records_ += batch.records;
}

Chunk& MemoryLog::chunk_with_room(uint32_t bytes) {
  if (!chunks_.empty() && chunks_.back()->capacity - chunks_.back()->end >= bytes) return *chunks_.back();
  const uint32_t next = chunks_.empty() ? kMinChunk : std::min(chunks_.back()->capacity * 2, kMaxChunk);
  chunks_.push_back(Chunk::make(std::max(next, bytes), end_));
  bytes_ += chunks_.back()->capacity;
  made_chunk_ = true;
  pressure_.note();
  return *chunks_.back();
}

void MemoryLog::wake(bool tails_only) {
  for (Cursor* cursor : cursors_) {
    if (!cursor->parked_ || (tails_only && cursor->kind_ != Cursor::Kind::tail)) continue;
    cursor->parked_ = false;
    cursor->pass_->wake(*cursor->task_);
  }
}

bool MemoryLog::lagging_runner() const {
  for (const Cursor* cursor : cursors_) {
    if (cursor->kind_ != Cursor::Kind::drain || cursor->waiting_ || cursor->parked_) continue;
    // In bytes, by the mean size of what is kept.
    if (behind(*cursor) * (bytes_ / std::max<uint64_t>(records_, 1)) > limits_.bytes / 2) return true;
  }
  return false;
}

void MemoryLog::add_notice(std::string line) {
  const std::lock_guard lock(mutex_);
  notices_.add(end_, std::move(line));
  wake(/*tails_only=*/true);
}

void MemoryLog::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake(/*tails_only=*/true);
}

// ---- bounds ----------------------------------------------------------------------------------------------

void MemoryLog::enforce_bounds(Micros now) {
  while (chunks_.size() > 1) {
    const Chunk& front = *chunks_.front();
    if (bytes_ > limits_.bytes)
      evict_front(DropReason::overflow, now);
    else if (front.newest < now - limits_.age)
      evict_front(DropReason::age, now);
    else if (made_chunk_ && pressure_.over.load(std::memory_order_relaxed) && chunks_.size() > 2)
      made_chunk_ = false, evict_front(DropReason::memory, now);  // one for one, until the biggest is found
    else if (!needed(front))
      evict_front(DropReason::age, now);
    else
      return;
  }
}

bool MemoryLog::needed(const Chunk& chunk) const {
  if (records_ - chunk.count < limits_.history) return true;
  const Position past{chunk.first.value + chunk.count};
  return std::ranges::any_of(cursors_, [&](const Cursor* c) { return c->next_ < past; });
}

void MemoryLog::evict_front(DropReason reason, Micros now) {
  const ChunkRef chunk = std::move(chunks_.front());
  chunks_.pop_front();
  bytes_ -= chunk->capacity;
  records_ -= chunk->count;
  const Position past{chunk->first.value + chunk->count};
  for (Cursor* cursor : cursors_) {
    if (cursor->next_ >= past) continue;
    const uint64_t lost = past.value - cursor->next_.value;
    cursor->next_ = past;
    cursor->at_ = {};
    if (cursor->loss_.records == 0) cursor->loss_.since = now;
    cursor->loss_.records += lost;
    cursor->loss_.reason = reason;
    cursor->counts_.dropped[size_t(reason)] += lost;
    if (!std::exchange(cursor->loss_told_, true)) cursor->pass_->wake(*cursor->task_);
  }
}

void MemoryLog::expire(Micros now) {
  const std::lock_guard lock(mutex_);
  enforce_bounds(now);
  if (chunks_.size() == 1 && chunks_.front()->count && chunks_.front()->newest < now - limits_.age)
    evict_front(DropReason::age, now);
}

bool MemoryLog::shrink() {
  const std::lock_guard lock(mutex_);
  if (chunks_.empty()) return false;
  evict_front(DropReason::memory, wall_now());
  return true;
}

// ---- reading ---------------------------------------------------------------------------------------------

const ChunkRef* MemoryLog::chunk_of(Position position) const {
  // The last one that begins at or before it.
  auto after = std::ranges::upper_bound(chunks_, position, {}, [](const ChunkRef& c) { return c->first; });
  return after == chunks_.begin() ? nullptr : &*std::prev(after);
}

/// Finds the chunk and the byte at which cursor.next_ lies; false if that is the end.
bool MemoryLog::locate(Cursor& cursor) const {
  if (cursor.next_ >= end_) return false;
  const auto inside = [&](const ChunkRef& chunk) {
    return chunk && cursor.next_ >= chunk->first && cursor.next_.value < chunk->first.value + chunk->count;
  };
  if (inside(cursor.at_)) return true;
  const ChunkRef* found = chunk_of(cursor.next_);
  cursor.at_ = *found;
  cursor.at_bytes_ = 0;
  for (uint64_t n = cursor.next_.value - cursor.at_->first.value; n > 0; --n)
    cursor.at_bytes_ += uint32_t(Record(cursor.at_->data() + cursor.at_bytes_).stride());
  return true;
}

Read MemoryLog::read(Cursor& cursor, uint32_t max_bytes) {
  Read result;
  const std::lock_guard lock(mutex_);
  Position limit = end_;
  if (cursor.kind_ == Cursor::Kind::tail) {
    cursor.loss_told_ = false;
    result.loss = std::exchange(cursor.loss_, {});
    const Notice* notice = notices_.at_or_above(cursor.next_notice_);
    for (; notice && notice->after <= cursor.next_; notice = notices_.at_or_above(cursor.next_notice_)) {
      result.notices.push_back(notice->line);
      cursor.next_notice_ = notice->id + 1;
    }
    if (notice) limit = std::min(limit, notice->after);
  }
  if (!locate(cursor)) return result;

  const Chunk& chunk = *cursor.at_;
  Slice& slice = result.slice;
  slice = {cursor.at_, cursor.at_bytes_, cursor.at_bytes_, 0, cursor.next_};
  if (chunk.end - slice.begin_at <= max_bytes && limit.value >= chunk.first.value + chunk.count) {
    slice.end_at = chunk.end;
    slice.records = uint32_t(chunk.first.value + chunk.count - cursor.next_.value);
  } else {
    while (slice.end_at < chunk.end && slice.past() < limit) {
      const auto size = uint32_t(Record(chunk.data() + slice.end_at).stride());
      if (slice.records && slice.bytes() + size > max_bytes) break;
      slice.end_at += size;
      ++slice.records;
    }
  }
  cursor.next_ = slice.past();
  cursor.at_bytes_ = slice.end_at;
  if (cursor.kind_ == Cursor::Kind::drain) {
    if (cursor.in_flight_ == 0) cursor.in_flight_oldest_ = Record(chunk.data() + slice.begin_at).arrival();
    cursor.in_flight_ += slice.records;
  }
  return result;
}

bool MemoryLog::park(Cursor& cursor) {
  const std::lock_guard lock(mutex_);
  if (cursor.next_ < end_) return false;
  const bool tail = cursor.kind_ == Cursor::Kind::tail;
  if (tail && (closed_ || notices_.at_or_above(cursor.next_notice_))) return false;
  cursor.parked_ = true;
  cursor.at_ = {};  // nothing to pin
  return true;
}

History MemoryLog::history(uint64_t records) const {
  const std::lock_guard lock(mutex_);
  return history_locked(records);
}

History MemoryLog::history_locked(uint64_t records) const {
  History history;
  records = std::min({records, limits_.history, records_});
  Position from{end_.value - records};
  history.notices = notices_.since(from);
  if (!records) return history;
  for (auto at = chunk_of(from); from < end_;) {
    const Chunk& chunk = **at;
    uint32_t begin = 0;
    for (uint64_t n = from.value - chunk.first.value; n > 0; --n)
      begin += uint32_t(Record(chunk.data() + begin).stride());
    const auto count = uint32_t(chunk.first.value + chunk.count - from.value);
    if (count) history.slices.push_back({*at, begin, chunk.end, count, from});
    from.value += count;
    if (from < end_) at = chunk_of(from);
  }
  return history;
}

// ---- cursors ---------------------------------------------------------------------------------------------

void MemoryLog::attach_locked(Cursor& cursor) {
  cursor.next_ = end_;
  cursor.next_notice_ = notices_.next_id();
  cursor.accepted_before_ = accepted_;
  cursors_.push_back(&cursor);
}

void MemoryLog::attach(Cursor& cursor) {
  const std::lock_guard lock(mutex_);
  attach_locked(cursor);
}

History MemoryLog::attach_with_history(Cursor& cursor, uint64_t records) {
  const std::lock_guard lock(mutex_);
  cursor.log_ = this;
  attach_locked(cursor);
  return history_locked(records);
}

void MemoryLog::detach(Cursor& cursor) {
  const std::lock_guard lock(mutex_);
  std::erase(cursors_, &cursor);
  cursor.at_ = {};
}

void MemoryLog::settle(Cursor& cursor, Outcome outcome, uint64_t records, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  cursor.in_flight_ -= records;
  cursor.in_flight_oldest_ = oldest_left;
  (outcome == Outcome::delivered ? cursor.counts_.delivered : cursor.counts_.filtered) += records;
}

void MemoryLog::drop(Cursor& cursor, DropReason reason, uint64_t records, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  cursor.in_flight_ -= records;
  cursor.in_flight_oldest_ = oldest_left;
  cursor.counts_.dropped[size_t(reason)] += records;
  if (cursor.loss_.records == 0) cursor.loss_.since = wall_now();
  cursor.loss_.records += records;
  cursor.loss_.reason = reason;
}

Loss MemoryLog::take_loss(Cursor& cursor) {
  const std::lock_guard lock(mutex_);
  cursor.loss_told_ = false;
  return std::exchange(cursor.loss_, {});
}

void MemoryLog::set_waiting(Cursor& cursor, bool outside) {
  const std::lock_guard lock(mutex_);
  cursor.waiting_ = outside;
}

// ---- accounts --------------------------------------------------------------------------------------------

Ledger MemoryLog::ledger_locked(const Cursor& cursor) const {
  Ledger ledger = cursor.counts_;
  ledger.accepted = accepted_ - cursor.accepted_before_;
  ledger.buffered = behind(cursor) + cursor.in_flight_;
  return ledger;
}

Ledger MemoryLog::ledger(const Cursor& cursor) const {
  const std::lock_guard lock(mutex_);
  return ledger_locked(cursor);
}

std::vector<LedgerLine> MemoryLog::ledger(uint64_t& accepted) const {
  const std::lock_guard lock(mutex_);
  accepted = accepted_;
  std::vector<LedgerLine> lines;
  for (const Cursor* cursor : cursors_)
    if (cursor->kind_ == Cursor::Kind::drain) lines.push_back({cursor, ledger_locked(*cursor)});
  return lines;
}

Cursor::Lag MemoryLog::lag(const Cursor& cursor) const {
  const std::lock_guard lock(mutex_);
  Cursor::Lag lag{behind(cursor) + cursor.in_flight_, 0};
  if (cursor.in_flight_) {
    lag.oldest = cursor.in_flight_oldest_;
  } else if (cursor.next_ < end_) {
    const Chunk& chunk = **chunk_of(cursor.next_);
    uint32_t at = 0;
    for (uint64_t n = cursor.next_.value - chunk.first.value; n > 0; --n)
      at += uint32_t(Record(chunk.data() + at).stride());
    lag.oldest = Record(chunk.data() + at).arrival();
  }
  return lag;
}

LogTotals MemoryLog::totals() const {
  const std::lock_guard lock(mutex_);
  return {accepted_, bytes_};
}

}  // namespace tailrace
