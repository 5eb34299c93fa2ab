#include "channels/local_log.h"

#include <algorithm>

namespace tailrace {

void LocalLog::add_notice(std::string line) {
  const std::lock_guard lock(mutex_);
  notices_.add(visible_end(), std::move(line));
  readers_.wake(/*tails_only=*/true);
}

void LocalLog::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  readers_.wake(/*tails_only=*/true);
}

// ---- accounts --------------------------------------------------------------------------------------------

void LocalLog::settle(CursorState& cursor, uint64_t delivered, uint64_t filtered, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  readers_.settled(cursor, delivered, filtered, oldest_left);
  progressed();
}

void LocalLog::drop(CursorState& cursor, DropReason reason, uint64_t records, Micros oldest_left) {
  const std::lock_guard lock(mutex_);
  readers_.dropped(cursor, reason, records, oldest_left, wall_now());
  progressed();
}

Loss LocalLog::take_loss(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  return readers_.take_loss(cursor);
}

void LocalLog::set_waiting(CursorState& cursor, bool outside) {
  const std::lock_guard lock(mutex_);
  cursor.waiting = outside;
}

Ledger LocalLog::ledger(const CursorState& cursor) const {
  const std::lock_guard lock(mutex_);
  return readers_.ledger(cursor, visible_end());
}

std::vector<LedgerLine> LocalLog::ledger(uint64_t& accepted) const {
  const std::lock_guard lock(mutex_);
  accepted = visible_end();
  std::vector<LedgerLine> lines;
  readers_.for_each_drain(
      [&](const CursorState& c) { lines.push_back({c.drain, readers_.ledger(c, accepted)}); });
  return lines;
}

Lag LocalLog::lag(const CursorState& cursor) const {
  const std::lock_guard lock(mutex_);
  Lag lag{readers_.ledger(cursor, visible_end()).buffered, 0};
  if (cursor.in_flight)
    lag.oldest = cursor.in_flight_oldest;
  else if (lag.records)
    lag.oldest = cursor.ordinal >= ring_.begin_ordinal() ? ring_.arrival(cursor.ordinal)
                                                         : arrival_before_ring(cursor.ordinal);
  return lag;
}

Progress LocalLog::end() const {
  const std::lock_guard lock(mutex_);
  const uint64_t end = visible_end();
  return {number_of(end), end, {}, {}};
}

Result<Progress> LocalLog::since(Micros time) const {
  uint64_t from, below, end;
  Position number;
  std::vector<Slice> ring;
  {
    const std::lock_guard lock(mutex_);
    from = oldest();
    end = visible_end();
    number = number_of(end);
    below = std::clamp(ring_.begin_ordinal(), from, std::max(from, end));
    ring = ring_.slices(below, end);
  }
  if (from < below) {
    const auto found = since_below(from, below, time);
    if (!found) return found.error();
    if (*found) return Progress{(*found)->number, (*found)->ordinal, {}, {}};
  }
  uint64_t ordinal = below;
  for (const Slice& slice : ring) {
    Position at = slice.first;
    for (const Record record : slice) {
      if (record.arrival() >= time) return Progress{at, ordinal, {}, {}};
      ++at.value, ++ordinal;
    }
  }
  return Progress{number, end, {}, {}};
}

Position LocalLog::number_of(uint64_t ordinal) const {
  const ChunkRef* const chunk = ring_.chunk_of(ordinal);
  return chunk ? Position{(*chunk)->first.value + (ordinal - (*chunk)->ordinal)} : ring_.next();
}

// ---- reading ---------------------------------------------------------------------------------------------

uint64_t LocalLog::attach(CursorState& cursor, const Place& place) {
  const std::lock_guard lock(mutex_);
  return begin_at(cursor, place);
}

uint64_t LocalLog::take_over(CursorState& cursor, CursorState& before, const Progress& from) {
  const std::lock_guard lock(mutex_);
  const uint64_t position = Readers::progress(before).ordinal, begin = std::max(from.ordinal, oldest());
  if (begin >= position) return 0;
  (void)readers_.remove(before);
  begin_at(cursor, Place::resume({from.next, begin, {}, before.counts}));
  Readers::inherit_loss(cursor, before);
  cursor.moved = true;
  progressed();
  return position - begin;
}

void LocalLog::keep_place(CursorState& cursor, const CursorState& of) {
  const std::lock_guard lock(mutex_);
  readers_.add(cursor, of.ordinal - std::min(of.trail, of.ordinal), {}, visible_end());
}

void LocalLog::set_trail(CursorState& cursor, uint64_t records) {
  const std::lock_guard lock(mutex_);
  cursor.trail = records;
}

void LocalLog::succeed(CursorState& cursor, CursorState& before) {
  const std::lock_guard lock(mutex_);
  if (before.in_flight && Readers::progress(before).ordinal < oldest())  // its flight alone has them still
    readers_.dropped(before, DropReason::overflow, before.in_flight, 0, wall_now());
  Progress place = Readers::progress(before);
  place.frozen = {};
  (void)readers_.remove(before);
  begin_at(cursor, Place::resume(place));
  Readers::inherit_loss(cursor, before);
  cursor.moved = true;
  progressed();
}

void LocalLog::detach(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  if (const auto last = readers_.remove(cursor)) left(cursor.drain, *last);
}

uint64_t LocalLog::begin_read(CursorState& cursor, Read& result) {
  uint64_t limit = visible_end();
  result.live = cursor.ordinal >= cursor.boundary;
  if (!result.live) limit = cursor.boundary;
  if (cursor.kind == CursorKind::tail) {
    result.loss = readers_.take_loss(cursor);
    limit = std::min(limit, notices_.take_due(cursor.next_notice, cursor.ordinal, result.notices));
  }
  result.next = cursor.next;
  return limit;
}

void LocalLog::finish_read(CursorState& cursor, uint64_t limit, uint32_t max_bytes, Read& result) {
  limit = std::min(limit, Readers::end_of_frozen(cursor));
  result.slice = cut(cursor.at, cursor.ordinal, cursor.at_bytes, limit, max_bytes);
  const bool frozen = cursor.frozen.value != 0;
  readers_.took(cursor, result.slice);
  result.next = cursor.next;
  result.unfinished = cursor.frozen.value != 0;
  result.finished = frozen && !result.unfinished;
}

bool LocalLog::needed(uint64_t ordinal, uint64_t history) const {
  return visible_end() < ordinal + history || readers_.want_below(ordinal);
}

}  // namespace tailrace
