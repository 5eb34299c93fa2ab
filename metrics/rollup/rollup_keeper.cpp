#include "metrics/rollup/rollup_keeper.h"

#include <malloc.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/thread_name.h"
#include "channels/log.h"
#include "metrics/rollup/log_reader.h"

namespace tailrace {
namespace {

// Merged in one transaction, for which answers wait.
constexpr size_t kChannelsPerBatch = 1024;
constexpr uint64_t kBytesPerBatch = 2u << 20;
constexpr size_t kSlicesPerBatch = 64;  // read again before what they gave is merged
constexpr Micros kLongestKept = kWindowAges[kWindowKinds - 1] + 2 * kWindowLengths[kWindowKinds - 1];

/// Bytes, about.
uint64_t size_of(const RollupDelta& delta) {
  uint64_t bytes = 0;
  for (const auto& [span, cells] : delta.windows)
    for (const auto& [name, cell] : cells)
      bytes += sizeof(SeriesName) + sizeof(Cell) + 64 + name.name.size() + name.source.size() + cell.memory();
  return bytes;
}

/// Something from before is missing.
WholeFrom before(Micros time) {
  WholeFrom whole;
  whole.fill(time);
  return whole;
}

/// What of a slice is not counted yet and lies below `end`, in order.
std::vector<Slice> uncounted(const Slice& slice, const Covered& covered, Position end) {
  std::vector<Slice> pieces;
  Slice piece = slice;
  piece.records = 0;
  piece.end_at = piece.begin_at;
  const auto flush = [&] {
    if (piece.records) pieces.push_back(piece);
    piece.begin_at = piece.end_at;
    piece.records = 0;
  };
  Position at = slice.first;
  for (const Record record : slice) {
    if (at >= end) break;
    const bool counted = covered.holds(at);
    if (counted) flush();
    if (!counted && !piece.records) piece.first = at;
    piece.end_at += static_cast<uint32_t>(record.stride());
    if (counted)
      piece.begin_at = piece.end_at;
    else
      ++piece.records;
    ++at.value;
  }
  flush();
  return pieces;
}

}  // namespace

RollupKeeper::RollupKeeper(RollupSource& source, RollupStore& store, Options options)
    : source_(source), store_(store), options_(std::move(options)) {}

RollupKeeper::~RollupKeeper() {
  stop();
}

void RollupKeeper::start(const std::vector<ChannelPtr>& channels, bool replay) {
  started_ = options_.now();
  stopped_ = false;
  std::set<uint32_t> there;
  for (const ChannelPtr& channel : channels) {
    there.insert(channel->index);
    if (!replay) continue;
    replays_.push_back({channel, channel->log->end()});
    to_replay_.insert(channel->index);
  }
  replaying_ = replays_.size();
  if (const auto stored = store_.channels())
    for (const uint32_t channel : *stored)
      if (!there.contains(channel)) (void)store_.forget(channel);  // else at the next start
  next_round_ = mono_now() + options_.interval;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void RollupKeeper::stop_thread() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  replays_.clear();
}

void RollupKeeper::stop() {
  if (stopped_) return;
  stop_thread();
  (void)merge_now();
  stopped_ = true;
}

void RollupKeeper::run(const std::stop_token& stop) {
  name_this_thread("rollups");
  if (const auto done = store_.compact(options_.now()); !done)
    log_warn("rollups could not be aged", "error=\"" + done.error().message() + "\"");
  if (!replays_.empty()) {
    Loop loop;
    for (; !replays_.empty() && !stop.stop_requested(); replays_.pop_front())
      finish(replays_.front(), replay(replays_.front(), loop, stop));
    if (const uint64_t lost = unread(); lost && replays_.empty())
      log_warn("records were gone before metrics could count them", "records=" + std::to_string(lost));
  }
  while (!stop.stop_requested()) {
    source_.room().wait(stop, next_round_, rested_);
    if (!stop.stop_requested()) round_if_due();
  }
}

void RollupKeeper::round_if_due() {
  const Mono begin = mono_now();
  if (begin < next_round_ && (begin < rested_ || !source_.room().crowded())) return;
  (void)merge_now();
  const Mono end = mono_now();
  next_round_ = end + options_.interval;
  rested_ = end + (end - begin);
}

// ---- merging ---------------------------------------------------------------------------------------------

Result<void> RollupKeeper::merge_now() {
  Result<void> done;
  uint64_t most = 0;
  source_.room().begin_round();
  // Also while nothing can be stored each channel has its turn: what is taken is bounded, and has its names.
  for (const uint32_t channel : source_.channels_counted()) {
    const std::lock_guard lock(mutex_);
    take(channel);
    most = std::max(most, pending_bytes_);
    if (done && (pending_bytes_ >= kBytesPerBatch || pending_.size() >= kChannelsPerBatch))
      done = merge_some();
  }
  while (done) {
    const std::lock_guard lock(mutex_);
    if (pending_.empty()) break;
    done = merge_some();
  }
  if (most >= kBytesPerBatch) malloc_trim(0);  // what was many small pieces goes back to the system
  if (!done) return done;
  return store_.compact(options_.now());
}

void RollupKeeper::take(uint32_t channel) {
  RollupDelta delta = source_.take(channel);
  if (delta.empty()) return;
  Pending& pending = pending_[channel];
  if (pending.delta.empty())
    pending.delta = std::move(delta);
  else
    pending.delta.merge(std::move(delta));
  pending_bytes_ -= pending.bytes;
  pending.bytes = size_of(pending.delta);
  pending_bytes_ += pending.bytes;
  hold_bound();
}

/// As many as make a batch, each channel in turn.
Result<void> RollupKeeper::merge_some() {
  RollupBatch batch;
  std::vector<std::pair<uint32_t, uint64_t>> sizes;
  uint64_t bytes = 0;
  const auto merged_before = merged_;
  while (!pending_.empty() && bytes < kBytesPerBatch && batch.size() < kChannelsPerBatch) {
    auto next = pending_.upper_bound(merged_);
    if (next == pending_.end()) next = pending_.begin();
    merged_ = next->first;
    bytes += next->second.bytes;
    sizes.emplace_back(next->first, next->second.bytes);
    batch.emplace(next->first, std::move(next->second.delta));
    drop(next);
  }
  if (batch.empty()) return {};
  const auto done = store_.merge(batch);
  if (!done) {
    merged_ = merged_before;
    for (const auto& [channel, size] : sizes) pending_[channel] = {std::move(batch[channel]), size};
    pending_bytes_ += bytes;
    hold_bound();
  }
  if (bool(done) == failing_) {
    failing_ = !done;
    if (failing_)
      log_warn("metrics cannot be stored and wait in memory", "error=\"" + done.error().message() + "\"");
    else
      log_info("metrics are stored again");
  }
  return done;
}

std::map<uint32_t, RollupKeeper::Pending>::iterator RollupKeeper::drop(
    std::map<uint32_t, Pending>::iterator pending) {
  pending_bytes_ -= pending->second.bytes;
  return pending_.erase(pending);
}

void RollupKeeper::hold_bound() {
  if (pending_bytes_ <= options_.most_pending) return;
  std::multimap<uint64_t, uint32_t> by_size;
  for (const auto& [channel, pending] : pending_) by_size.emplace(pending.bytes, channel);
  // Somewhat more than must be, so that it is not to be done again at once.
  for (auto largest = by_size.rbegin();
       pending_bytes_ > options_.most_pending / 8 * 7 && largest != by_size.rend(); ++largest) {
    const auto pending = pending_.find(largest->second);
    given_up_ += pending->second.delta.records;
    if (to_replay_.contains(largest->second)) to_read_anew_.insert(largest->second);
    RollupDelta rest;
    rest.late = pending->second.delta.late;
    rest.whole_from = before(options_.now());
    drop(pending);
    pending_[largest->second].delta = std::move(rest);
    log_warn("metrics of a channel are given up in memory until the next start",
             "channel_index=" + std::to_string(largest->second));
  }
}

Result<RollupStore::Answer> RollupKeeper::read(uint32_t channel, Micros from, Micros to,
                                               const SeriesFilter& filter) {
  const Micros now = options_.now();
  from = std::max(from, now - kLongestKept);
  to = std::min(to, now + kLongestKept);
  const std::lock_guard lock(mutex_);
  take(channel);
  auto answer = store_.read(channel, from, to, filter);
  if (!answer) return answer;
  if (to_replay_.contains(channel))
    for (Micros& whole : answer->whole_from) whole = std::max(whole, started_);
  const auto waiting = pending_.find(channel);
  if (waiting == pending_.end()) return answer;
  const RollupDelta& delta = waiting->second.delta;
  for (const auto& [span, cells] : delta.windows) {
    if (span.end() <= from || span.begin >= to) continue;
    for (const auto& [name, cell] : cells)
      if (filter.wants(name)) answer->windows[span][name].merge(cell);
  }
  for (const PlatformMark& mark : delta.marks)
    if (mark.time >= from && mark.time < to) answer->marks.push_back(mark);
  std::ranges::sort(answer->marks);
  answer->late += delta.late;
  raise(answer->whole_from, delta.whole_from);
  return answer;
}

void RollupKeeper::forget(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  if (const auto pending = pending_.find(channel); pending != pending_.end()) drop(pending);
  to_replay_.erase(channel);
  to_read_anew_.erase(channel);
  if (const auto done = store_.forget(channel); !done)
    log_warn("a removed channel's metrics stay until the next start",
             "error=\"" + done.error().message() + "\"");
}

// ---- reading again ---------------------------------------------------------------------------------------

RollupKeeper::Read RollupKeeper::replay(const Replay& replay, Loop& loop, const std::stop_token& stop) {
  const auto refused = [](error_code error) {
    log_warn("a channel's log cannot be counted again", "error=\"" + error.message() + "\"");
    return Read();
  };
  const auto counted = store_.counted(replay.channel->index);
  if (!counted) return refused(counted.error());
  const auto again = read_again(replay, counted->covered, loop, stop);
  if (!again) return refused(again.error());
  if (stop.stop_requested()) return {};
  // Rounds have stored some of this run, too, where every number is a record.
  uint64_t of_this_run = 0;
  for (const auto& [first, past] : counted->covered.ranges())
    if (past > replay.end.next) of_this_run += past.value - std::max(first, replay.end.next).value;
  return {true, replay.end.ordinal - (counted->records - of_this_run) - *again};
}

/// Gives how many records it read that were not counted.
Result<uint64_t> RollupKeeper::read_again(const Replay& replay, const Covered& covered, Loop& loop,
                                          const std::stop_token& stop) {
  const Channel& channel = *replay.channel;
  uint64_t records = 0;
  if (covered.gaps({}, replay.end.next).empty()) return records;
  const auto oldest = channel.log->since(0);
  if (!oldest) return oldest.error();
  size_t slices = 0;
  for (const auto& [first, past] : covered.gaps(oldest->next, replay.end.next)) {
    LogReader reader(*channel.log, loop, first);
    while (!channel.removed) {
      const Slice slice = reader.next(stop);
      if (stop.stop_requested() || slice.empty() || slice.first >= past) break;
      const std::vector<Slice> pieces = uncounted(slice, covered, past);
      for (const Slice& piece : pieces) records += piece.records;
      if (!pieces.empty()) source_.replay(channel, pieces);
      if (++slices % kSlicesPerBatch == 0 || source_.room().crowded()) {
        const std::lock_guard lock(mutex_);
        source_.room().begin_round();
        take(channel.index);
        (void)merge_some();
      }
      round_if_due();
    }
  }
  return records;
}

void RollupKeeper::finish(const Replay& replay, const Read& read) {
  const uint32_t channel = replay.channel->index;
  const std::lock_guard lock(mutex_);
  replaying_.fetch_sub(1, std::memory_order_relaxed);
  if (!to_replay_.contains(channel) || !read.whole) return;  // forgotten; or for the next start
  take(channel);
  to_replay_.erase(channel);
  if (to_read_anew_.contains(channel)) return;  // likewise
  // What is not counted now never will be: the holes close.
  RollupDelta& delta = pending_[channel].delta;
  delta.covered.add({}, replay.end.next);
  delta.records += read.missing;
  // Negative where the disk has less than was counted: the end of a log that a crash has torn.
  if (static_cast<int64_t>(read.missing) <= 0) return;
  unread_ += read.missing;
  raise(delta.whole_from, before(started_));
}

}  // namespace tailrace
