#include "channels/disk/record_reader.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/thread_name.h"
#include "channels/disk/scanned_segment.h"

namespace tailrace {
namespace {

constexpr uint64_t kLargestEntry = 33 * 1024;  // and more
constexpr uint64_t kWindow = 128 * 1024;       // of a file, read at once
constexpr size_t kExtents = 1024;              // looked up at once
constexpr size_t kMostKnown = 1000, kMostEnds = 64, kLookBack = 8;
// A disk that fails is tried for a minute before what it does not give is damage.
constexpr auto kBeforeNextTry = std::chrono::milliseconds(250);
constexpr int kMostTries = 240;

/// Records with numbers and ordinals that rise by one, on their way into one chunk. Reused: fresh memory
/// costs more than what is done with it.
class Filling {
 public:
  void clear() {
    used_ = count_ = 0;
    error_ = {};
  }
  /// A read that failed; what came before it was taken.
  error_code error() const { return error_; }
  bool empty() const { return count_ == 0; }
  uint64_t end_ordinal() const { return ordinal_ + count_; }
  uint64_t ordinal() const { return ordinal_; }
  /// Where the record behind the last one begins, in the segment read last.
  uint64_t offset() const { return offset_; }

  /// Takes what lies in `extent` from `ordinal` on, beginning the walk at `offset`. True: all of it; false:
  /// it is full, or what comes next does not adjoin.
  bool take(const Extent& extent, uint32_t channel, uint64_t ordinal, uint64_t offset);

  ChunkRef chunk() const {
    ChunkRef chunk = Chunk::make(used_, first_, ordinal_);
    std::memcpy(chunk->data(), bytes_.data(), used_);
    chunk->end = used_;
    chunk->count = count_;
    chunk->newest = newest_;
    return chunk;
  }

 private:
  std::optional<StoredEntry> entry_at(const Extent& extent, uint64_t& offset);
  bool add(const StoredEntry& entry, uint64_t ordinal);

  std::vector<std::byte> bytes_ = std::vector<std::byte>(kMaxChunk);
  std::vector<std::byte> window_ = std::vector<std::byte>(kWindow);
  uint64_t window_at_ = 0, window_end_ = 0;
  uint32_t used_ = 0, count_ = 0;
  uint64_t ordinal_ = 0, offset_ = 0;
  Position first_;
  Micros newest_ = 0;
  error_code error_;
};

/// The entry at `offset`, or if that is damaged the next valid one of the run; none: the run ends.
std::optional<StoredEntry> Filling::entry_at(const Extent& extent, uint64_t& offset) {
  const Salts& salts = extent.segment->header.salts;
  const uint64_t end = extent.run.offset + extent.run.bytes;
  for (bool filled = false; offset < end; filled = true) {
    if (offset >= window_at_ && offset < window_end_) {
      const auto ahead = std::span(window_).subspan(offset - window_at_, window_end_ - offset);
      if (auto entry = read_entry(salts, offset, ahead)) return entry;
    }
    if (filled) break;  // it is not for want of bytes
    // About what still fits; the largest entry at least.
    const uint64_t wanted = std::clamp<uint64_t>((kMaxChunk - used_) / 8 * 9, kLargestEntry, kWindow);
    const auto got =
        extent.segment->file.read(offset, std::span(window_).first(std::min(wanted, end - offset)));
    if (!got) {
      error_ = got.error();
      return {};
    }
    window_at_ = offset;
    window_end_ = offset + *got;
  }
  if (offset >= end) return {};
  SegmentScanner scanner(extent.segment->file, salts, offset, end);
  const StoredEntry* const entry = scanner.next();
  error_ = scanner.error();
  offset = entry ? entry->offset : end;
  if (!entry) return {};
  return entry_at(extent, offset);
}

bool Filling::take(const Extent& extent, uint32_t channel, uint64_t ordinal, uint64_t offset) {
  window_end_ = 0;  // it was another file's, perhaps
  while (const auto entry = entry_at(extent, offset)) {
    const uint64_t at = whole_ordinal(entry->prefix.ordinal, ordinal);
    if (at >= extent.until) break;
    offset_ = offset;
    if (at >= ordinal && entry->prefix.channel == channel && !add(*entry, at)) return false;
    offset = entry->behind();
    offset_ = offset;
  }
  return true;
}

bool Filling::add(const StoredEntry& entry, uint64_t ordinal) {
  const auto size = uint32_t(entry.record.stride());
  if (empty()) {
    ordinal_ = ordinal;
    first_ = {entry.prefix.number};
  } else if (ordinal != end_ordinal() || entry.prefix.number != first_.value + count_ ||
             used_ + size > kMaxChunk) {
    return false;
  }
  std::memcpy(bytes_.data() + used_, &entry.record.header(), size);
  used_ += size;
  ++count_;
  newest_ = entry.record.arrival();
  return true;
}

/// Where a channel's records lie.
class Known {
 public:
  /// The extent that holds `ordinal`, or the first behind it; null: there is none. errors: as
  /// SegmentSet::find.
  Result<const Extent*> find(const SegmentSet& segments, uint32_t channel, uint64_t ordinal,
                             SegmentSet::Unreadable unreadable) {
    if (extents_.empty() || generation_ != segments.generation() || ordinal < extents_.front().from ||
        ordinal >= extents_.back().until) {
      generation_ = segments.generation();
      ends_.clear();
      extents_.clear();
      auto found = segments.find(channel, ordinal, kExtents, unreadable);
      if (!found) return found.error();
      extents_ = std::move(*found);
    }
    const auto at =
        std::ranges::partition_point(extents_, [&](const Extent& e) { return e.until <= ordinal; });
    return at == extents_.end() ? static_cast<const Extent*>(nullptr) : &*at;
  }
  uint64_t offset_of(const Extent& extent, uint64_t ordinal) const {
    const auto end = ends_.find(ordinal);
    if (end == ends_.end() || end->second.segment != extent.segment.get()) return extent.run.offset;
    const uint64_t offset = end->second.offset;  // or behind another run of the segment
    const bool inside = offset >= extent.run.offset && offset < extent.run.offset + extent.run.bytes;
    return inside ? offset : extent.run.offset;
  }
  void note_end(uint64_t ordinal, const Segment* segment, uint64_t offset) {
    if (ends_.size() >= kMostEnds) ends_.clear();
    ends_[ordinal] = {segment, offset};
  }

 private:
  struct End {
    const Segment* segment;
    uint64_t offset;
  };
  uint64_t generation_ = 0;
  std::vector<Extent> extents_;
  std::map<uint64_t, End> ends_;  // where the record with an ordinal begins
};

}  // namespace

struct RecordReader::Work {
  Filling filling;
  std::unordered_map<uint32_t, Known> known;
};

RecordReader::RecordReader(const SegmentSet& segments)
    : segments_(segments),
      work_(std::make_unique<Work>()),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

RecordReader::~RecordReader() {
  stop();
}

void RecordReader::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  asked_.clear();
}

void RecordReader::ask(ChannelPtr channel, FetchLog& log, uint64_t ordinal, uint64_t until) {
  push({std::move(channel), &log, ordinal, until, {}});
}

void RecordReader::seek(ChannelPtr channel, FetchLog& log, Position position, uint64_t until) {
  push({std::move(channel), &log, 0, until, position});
}

void RecordReader::push(Request request) {
  {
    const std::lock_guard lock(mutex_);
    const auto same = [&](const Request& r) {
      return r.log == request.log && r.ordinal == request.ordinal && r.behind == request.behind;
    };
    const auto recent = asked_.end() - ptrdiff_t(std::min(asked_.size(), kLookBack));
    if (std::any_of(recent, asked_.end(), same)) return;
    asked_.push_back(std::move(request));
  }
  changed_.notify_one();
}

void RecordReader::lost(uint32_t channel, uint64_t from, uint64_t until) {
  const std::lock_guard lock(mutex_);
  Stretches& stretches = lost_[channel];
  damaged_ += until - from;
  auto at = stretches.upper_bound(from);
  if (at != stretches.begin() && std::prev(at)->second >= from) --at;
  while (at != stretches.end() && at->first <= until) {
    const uint64_t low = std::max(from, at->first), high = std::min(until, at->second);
    if (low < high) damaged_ -= high - low;  // was counted
    from = std::min(from, at->first);
    until = std::max(until, at->second);
    at = stretches.erase(at);
  }
  stretches[from] = until;
}

uint64_t RecordReader::damaged() const {
  const std::lock_guard lock(mutex_);
  return damaged_;
}

void RecordReader::run(const std::stop_token& stop) {
  name_this_thread("disk reader");
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !asked_.empty(); })) {
    Request request = std::move(asked_.front());
    asked_.pop_front();
    lock.unlock();
    const std::optional<Fetched> fetched = fetch(request);
    if (fetched) {
      request.log->fetched(*fetched);
      request.channel.reset();  // perhaps the last one to hold it
      lock.lock();
      continue;
    }
    lock.lock();
    ++request.tries;
    asked_.push_back(std::move(request));
    changed_.wait_for(lock, stop, kBeforeNextTry, [] { return false; });
  }
}

/// None: the disk fails, perhaps for a moment.
std::optional<Fetched> RecordReader::fetch(Request& request) {
  const bool last_try = request.tries >= kMostTries;
  const auto unreadable = last_try ? SegmentSet::Unreadable::left_out : SegmentSet::Unreadable::refused;
  Filling& filling = work_->filling;
  const uint32_t channel = request.channel->index;
  Fetched result;
  if (request.behind) {
    const auto found = segments_.ordinal_behind(channel, *request.behind, unreadable);
    if (!found && !last_try) return {};
    request.ordinal = found ? std::min(*found, request.until) : request.until;
    result.sought = request.behind;
  }
  result.asked = request.ordinal;
  if (work_->known.size() >= kMostKnown && !work_->known.contains(channel))
    work_->known.erase(work_->known.begin());
  Known& known = work_->known[channel];

  filling.clear();
  for (uint64_t next = request.ordinal; next < request.until;) {
    const auto found = known.find(segments_, channel, next, unreadable);
    if (!found && !last_try && filling.empty()) return {};
    const Extent* const extent = found ? *found : nullptr;
    if (!extent || extent->from >= request.until) break;
    if (extent->from > next && !filling.empty()) break;
    next = std::max(next, extent->from);
    if (!filling.take(*extent, channel, next, known.offset_of(*extent, next))) {
      known.note_end(filling.end_ordinal(), extent->segment.get(), filling.offset());
      break;
    }
    if (filling.error() && filling.empty() && !last_try) return {};
    if (!filling.empty() && filling.end_ordinal() < extent->until) break;  // damage ends it
    next = extent->until;
    if (!filling.empty()) known.note_end(next, extent->segment.get(), filling.offset());
  }
  const bool found = !filling.empty() && filling.ordinal() < request.until;
  result.ordinal = found ? filling.ordinal() : request.until;
  if (found) result.chunk = filling.chunk();
  return result;
}

}  // namespace tailrace
