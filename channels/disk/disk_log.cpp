#include "channels/disk/disk_log.h"

#include <algorithm>

#include "channels/errc.h"

namespace tailrace {
namespace {

constexpr uint64_t kLeastStep = 64 * 1024, kSteps = 256;

uint64_t bytes_of(const PendingBatch& batch) {
  uint64_t bytes = 0;
  for (const Slice& slice : batch.slices) bytes += slice.bytes();
  return bytes;
}

uint64_t end_of(const PendingBatch& batch) {
  uint64_t ordinal = batch.first_ordinal;
  for (const Slice& slice : batch.slices) ordinal += slice.records;
  return ordinal;
}

}  // namespace

DiskLog::DiskLog(Channel& channel, LogLimits limits, DiskLogStart start, DiskLogServices services)
    : LocalLog(start.next, start.ordinal),
      channel_(channel),
      limits_(limits),
      services_(services),
      stored_(start.first_kept, start.ordinal, start.bytes, wall_now()),
      visible_(start.ordinal),
      synced_(start.ordinal),
      floor_(start.lost),
      first_kept_(start.first_kept),
      disk_bytes_(start.bytes),
      lost_for_(start.lost_for) {}

// ---- appending -------------------------------------------------------------------------------------------

void DiskLog::append(const Batch& batch, AppendWaiter& waiter) {
  if (channel_.removed.load(std::memory_order_relaxed))
    return waiter.appended(make_error_code(ChannelErrc::removed));
  PendingBatch pending;
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    pending.first_ordinal = ring_.end_ordinal();
    pending.waiter = services_.durable ? &waiter : nullptr;
    ring_.write(batch, pending.slices);
    pending_.push_back(pending);
    if (!noted_ && !services_.commit.note(channel_.shared_from_this(), *this)) {
      pending_.pop_back();
      ring_.take_back(pending.first_ordinal);
      stopped = true;
    } else {
      noted_ = true;
      services_.room.add_waiting(bytes_of(pending));
      raise_mark_in_time();
      if (services_.durable) return;
      visible_ = ring_.end_ordinal();
      hold_bounds(batch.arrival);
      readers_.wake(/*tails_only=*/false);
    }
  }
  if (stopped) return waiter.appended(make_error_code(ChannelErrc::no_room));
  if (services_.observer) services_.observer->appended(channel_, pending.slices);
  waiter.appended(pending.slices.front().first);
}

void DiskLog::raise_mark_in_time() {
  const Position mark = services_.commit.mark();
  if (ring_.next().value + kMarkStep / 2 <= mark.value || mark == mark_asked_) return;
  mark_asked_ = mark;
  services_.commit.raise_mark();
}

std::vector<PendingBatch> DiskLog::take_pending() {
  const std::lock_guard lock(mutex_);
  noted_ = false;
  return std::exchange(pending_, {});
}

void DiskLog::synced(uint64_t ordinal, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  synced_ = ordinal;
  disk_bytes_ += bytes;
  const Micros now = wall_now();
  stored_.add(ordinal, bytes, now, std::max(kLeastStep, limits_.bytes / kSteps), limits_.age / 64);
  if (services_.durable) visible_ = ordinal;
  hold_bounds(now);
  if (services_.durable) readers_.wake(/*tails_only=*/false);
}

void DiskLog::failed() {
  std::vector<PendingBatch> refused;
  {
    const std::lock_guard lock(mutex_);
    if (!services_.durable) return;  // it was shown
    ring_.take_back(synced_);
    refused.swap(pending_);
  }
  for (const PendingBatch& batch : refused) {
    services_.room.take_waiting(bytes_of(batch));
    batch.waiter->appended(make_error_code(ChannelErrc::no_room));
  }
}

// ---- bounds ----------------------------------------------------------------------------------------------

void DiskLog::hold_bounds(Micros now) {
  const uint64_t most = limits_.bytes + limits_.bytes / 64;
  if (stored_.end_bytes() - bytes_below_ > most)
    lose(stored_.ordinal_at(stored_.end_bytes() - limits_.bytes), DropReason::overflow, now);
  trim_ring(now);
  const uint64_t mean = ring_.bytes() / std::max<uint64_t>(ring_.records(), 1);
  const bool lags =
      mean && readers_.runner_lags(visible_, services_.ring_bytes / 2 / mean, ring_.begin_ordinal());
  crowded_.store(lags || services_.room.choked(), std::memory_order_relaxed);
}

void DiskLog::trim_ring(Micros now) {
  while (ring_.chunks() > 1) {
    const uint64_t end = ring_.front().end_ordinal();
    const bool over = ring_.bytes() > services_.ring_bytes;
    if (end <= synced_ && (over || !needed(end, limits_.history)))
      ring_.pop_front();
    else if (services_.durable || ring_.bytes() <= limits_.bytes || !forget_front(DropReason::overflow, now))
      return;
  }
}

/// Also what is not on disk, if that was told already.
bool DiskLog::forget_front(DropReason reason, Micros now) {
  if (!ring_.chunks()) return false;
  const uint64_t end = ring_.front().end_ordinal();
  if (end > synced_ && services_.durable) return false;
  const ChunkRef forgotten = ring_.pop_front();
  if (end <= synced_) return true;
  const auto kept = std::ranges::find_if(pending_, [&](const PendingBatch& b) { return end_of(b) > end; });
  for (auto gone = pending_.begin(); gone != kept; ++gone) services_.room.take_waiting(bytes_of(*gone));
  pending_.erase(pending_.begin(), kept);
  lose(end, reason, now, forgotten);
  return true;
}

/// `forgotten`: a chunk that is not on disk, perhaps.
void DiskLog::lose(uint64_t ordinal, DropReason reason, Micros now, const ChunkRef& forgotten) {
  if (ordinal <= oldest()) return;
  floor_ = ordinal;
  lost_for_ = reason;
  bytes_below_ = stored_.bytes_before(ordinal);
  stored_.forget(ordinal);
  readers_.lose_before(ordinal, reason, now);
  if (forgotten) readers_.for_each_doomed([&](CursorState& c) { readers_.judge(c, *forgotten); });
  judge_doomed();
  progressed();
}

/// What bounds took from those with a filter: where it is in memory they are told at once what of it they
/// lost, else when it was read.
void DiskLog::judge_doomed() {
  readers_.for_each_doomed([&](CursorState& cursor) {
    while (!cursor.doomed.empty()) {
      const ChunkRef* const chunk = ring_.chunk_of(cursor.ordinal);
      if (!chunk) return (void)ask(cursor, {});
      readers_.judge(cursor, **chunk);
    }
  });
}

void DiskLog::lose_before(uint64_t ordinal, DropReason reason, Micros now) {
  const std::lock_guard lock(mutex_);
  lose(std::min(ordinal, synced_), reason, now);
  drop_below_floor();
}

void DiskLog::expire(Micros now) {
  const std::lock_guard lock(mutex_);
  lose(std::min(stored_.ordinal_older_than(now - limits_.age), synced_), DropReason::age, now);
  drop_below_floor();
  trim_ring(now);
}

void DiskLog::drop_below_floor() {
  while (ring_.chunks() && ring_.front().end_ordinal() <= floor_) ring_.pop_front();
}

/// Below it nobody has anything to read, and history shows nothing.
uint64_t DiskLog::spare_end() const {
  return std::min({readers_.lowest(), visible_ - std::min(visible_, limits_.history), synced_});
}

uint64_t DiskLog::spare_bytes() const {
  const std::lock_guard lock(mutex_);
  return stored_.bytes_before(std::max(spare_end(), oldest())) - bytes_below_;
}

void DiskLog::give_up_spare(uint64_t bytes, Micros now) {
  const std::lock_guard lock(mutex_);
  lose(std::min(stored_.ordinal_at(bytes_below_ + bytes), spare_end()), DropReason::disk, now);
  drop_below_floor();
}

void DiskLog::cleaned(uint64_t first_kept, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  first_kept_ = std::max(first_kept_, first_kept);
  bytes_below_ = stored_.bytes_before(oldest());
  disk_bytes_ -= std::min(disk_bytes_, bytes);
}

/// What is not on disk goes only if it was told already and the disk takes nothing now.
bool DiskLog::may_forget(uint64_t end) const {
  return end <= synced_ || (!services_.durable && !services_.room.open());
}

bool DiskLog::shrink() {
  const std::lock_guard lock(mutex_);
  if (!ring_.chunks() || !may_forget(ring_.front().end_ordinal())) return false;
  return forget_front(DropReason::memory, wall_now());
}

void DiskLog::set_limits(LogLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  hold_bounds(wall_now());
}

// ---- reading ---------------------------------------------------------------------------------------------

uint64_t DiskLog::begin_at(CursorState& cursor, const Place& place) {
  switch (place.kind) {
    case Place::Kind::end:
      readers_.add(cursor, visible_, number_of(visible_), visible_);
      cursor.next_notice = notices_.next_id();
      return 0;
    case Place::Kind::newest: {
      const uint64_t newest = visible_ - std::min({place.records, limits_.history, visible_ - oldest()});
      const uint64_t begin = std::max(newest, std::min(place.from, visible_));
      readers_.add(cursor, begin, begin == visible_ ? number_of(visible_) : Position{}, visible_);
      break;
    }
    case Place::Kind::behind: {
      const Position next{place.position.value + 1};
      const uint64_t begin = ring_.begin_ordinal();
      if (place.position.value == 0 || place.position >= number_of(visible_)) {
        readers_.add(cursor, oldest(), {}, visible_);
        cursor.loss.unknown = place.position.value != 0;
        if (cursor.loss.unknown) cursor.loss.since = wall_now();
        break;
      }
      const bool here = begin == oldest() || (ring_.chunks() && next >= ring_.front().first);
      cursor.seeking = !here;
      readers_.add(cursor,
                   here ? std::clamp(ring_.ordinal_behind(place.position), oldest(), visible_) : oldest(),
                   next, visible_);
      if (here && ring_.chunks()) tell_gone(cursor, ring_.front().first);
      break;
    }
    case Place::Kind::progress:
      readers_.resume(cursor, place.stored, visible_);
      if (cursor.wanted) {
        readers_.lose(cursor, std::min(floor_, first_kept_), lost_for_,
                      wall_now());  // nothing tells what it was
        readers_.doom(cursor, floor_, lost_for_, wall_now());
        judge_doomed();
      } else {
        readers_.lose(cursor, floor_, lost_for_, wall_now());
      }
      if (cursor.ordinal < first_kept_) services_.reader.lost(channel_.index, cursor.ordinal, first_kept_);
      readers_.lose(cursor, first_kept_, DropReason::damaged, wall_now());
      progressed();
      break;
  }
  cursor.next_notice = notices_.first_at(cursor.ordinal);
  return visible_ - cursor.ordinal;
}

Read DiskLog::read(CursorState& cursor, uint32_t max_bytes) {
  Read result;
  const std::lock_guard lock(mutex_);
  if (cursor.seeking || !cursor.doomed.empty()) return ask(cursor, std::move(result));
  const uint64_t limit = begin_read(cursor, result);
  if (cursor.ordinal == visible_) return result;
  if (!cursor.at || !cursor.at->holds(cursor.ordinal)) {
    const ChunkRef* const chunk = ring_.chunk_of(cursor.ordinal);
    if (!chunk) return ask(cursor, std::move(result));
    Readers::stand_in(cursor, *chunk);
  }
  finish_read(cursor, limit, max_bytes, result);
  progressed();
  return result;
}

Read DiskLog::ask(CursorState& cursor, Read result) {
  result.fetching = true;
  if (std::exchange(cursor.fetching, true)) return result;
  ChannelPtr channel = channel_.shared_from_this();
  const uint64_t until = ring_.begin_ordinal();
  if (cursor.seeking)
    services_.reader.seek(std::move(channel), *this, {cursor.next.value - 1}, until);
  else
    services_.reader.ask(std::move(channel), *this, cursor.ordinal, until);
  return result;
}

bool DiskLog::park(CursorState& cursor) {
  const std::lock_guard lock(mutex_);
  if (!cursor.fetching) {
    if (cursor.seeking || cursor.ordinal < visible_) return false;
    const bool tail = cursor.kind == CursorKind::tail;
    if (tail && (closed_ || cursor.next_notice < notices_.next_id())) return false;
    cursor.at = {};  // nothing to pin
  }
  cursor.parked = true;
  return true;
}

void DiskLog::fetched(const Fetched& fetched) {
  const std::lock_guard lock(mutex_);
  const Micros now = wall_now();
  if (fetched.sought)
    readers_.found(*fetched.sought, fetched.asked, [&](CursorState& cursor) {
      cursor.next_notice = notices_.first_at(cursor.ordinal);
      if (fetched.chunk) tell_gone(cursor, fetched.chunk->first);
      readers_.lose(cursor, oldest(), lost_for_, now);
    });
  readers_.for_each_doomed([&](CursorState& cursor) {
    if (!cursor.fetching || cursor.ordinal < fetched.asked) return;
    readers_.lose_doomed(cursor, fetched.ordinal);
    if (fetched.chunk) readers_.judge(cursor, *fetched.chunk);
  });
  const uint64_t from = std::max(fetched.asked, oldest());  // the rest was taken by a bound meanwhile
  if (from < fetched.ordinal && readers_.lose_waited_for(from, fetched.ordinal, DropReason::damaged, now))
    services_.reader.lost(channel_.index, from, fetched.ordinal);
  if (fetched.chunk)
    readers_.fetched(fetched.chunk);
  else
    readers_.fetched_nothing(fetched.asked);
  judge_doomed();
  progressed();
}

/// A tail that came with a number: what lies between that and the first record it reads is gone. How many
/// those were is known only where numbers have no hole, and at most as many as there were records.
void DiskLog::tell_gone(CursorState& cursor, Position first) {
  if (cursor.ordinal != oldest() || first <= cursor.next) return;
  cursor.loss.records += std::min(first.value - cursor.next.value, cursor.ordinal);
  cursor.loss.reason = lost_for_;
  if (!cursor.loss.since) cursor.loss.since = wall_now();
}

// ---- accounts --------------------------------------------------------------------------------------------

LogTotals DiskLog::totals() const {
  const std::lock_guard lock(mutex_);
  return {visible_, disk_bytes_};
}

uint64_t DiskLog::floor() const {
  const std::lock_guard lock(mutex_);
  return oldest();
}

uint64_t DiskLog::dead_below() const {
  const std::lock_guard lock(mutex_);
  return std::min(oldest(), readers_.lowest_doomed());
}

Result<std::optional<LocalLog::Found>> DiskLog::since_below(uint64_t from, uint64_t until,
                                                            Micros time) const {
  const auto found = services_.segments.since(channel_.index, from, until, time);
  if (!found) return found.error();
  if (!*found) return std::optional<Found>();
  return std::optional(Found{(*found)->ordinal, (*found)->number});
}

uint64_t DiskLog::synced_end() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

uint64_t DiskLog::live_bytes() const {
  const std::lock_guard lock(mutex_);
  return stored_.end_bytes() - bytes_below_;
}

uint64_t DiskLog::memory() const {
  const std::lock_guard lock(mutex_);
  return ring_.chunks() && may_forget(ring_.front().end_ordinal()) ? ring_.bytes() : 0;
}

DiskLog::Ends DiskLog::ends() const {
  const std::lock_guard lock(mutex_);
  return {synced_, number_of(synced_), floor_, lost_for_};
}

void DiskLog::progressed() {
  if (told_progress_) return;
  ChannelPtr channel = channel_.weak_from_this().lock();
  if (!channel) return;  // nobody reads it any more
  told_progress_ = true;
  services_.progress.progressed(std::move(channel), *this);
}

void DiskLog::left(uint64_t drain, const Progress& last) {
  left_.emplace_back(drain, last);
  progressed();
}

}  // namespace tailrace
