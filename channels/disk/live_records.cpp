#include "channels/disk/live_records.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "channels/disk/scanned_segment.h"

namespace tailrace {
namespace {

constexpr uint64_t kGap = 64 * 1024;  // of bytes nobody wants: reading on costs less than beginning anew

/// Chunks in the making, the last of each channel open.
class Gathered {
 public:
  /// `likely`: bytes that may follow side by side.
  void add(uint32_t channel, uint64_t ordinal, uint64_t number, Record record, uint64_t likely) {
    const auto size = uint32_t(record.stride());
    StoredSlice& slice = slices_[open(channel, ordinal, number, size, likely)];
    Chunk& chunk = *slice.slice.chunk;
    std::memcpy(chunk.data() + chunk.end, &record.header(), size);
    chunk.end += size;
    ++chunk.count;
    chunk.newest = record.arrival();
    slice.slice.end_at = chunk.end;
    slice.slice.records = chunk.count;
    bytes_ += size;
  }

  uint64_t bytes() const { return bytes_; }

  std::vector<StoredSlice> take() {
    std::stable_sort(slices_.begin(), slices_.end(), [](const StoredSlice& a, const StoredSlice& b) {
      return std::pair(a.channel, a.ordinal) < std::pair(b.channel, b.ordinal);
    });
    return std::move(slices_);
  }

 private:
  size_t open(uint32_t channel, uint64_t ordinal, uint64_t number, uint32_t size, uint64_t likely) {
    const auto [known, is_new] = newest_.try_emplace(channel, slices_.size());
    uint64_t capacity = likely;
    if (!is_new) {
      const Chunk& chunk = *slices_[known->second].slice.chunk;
      const bool follows = ordinal == chunk.end_ordinal() && number == chunk.past().value;
      if (follows && size <= chunk.capacity - chunk.end) return known->second;
      if (follows) capacity = std::max<uint64_t>(capacity, uint64_t{2} * chunk.capacity);
    }
    known->second = slices_.size();
    capacity = std::clamp<uint64_t>(capacity, size, kMaxChunk);
    slices_.push_back(
        {channel, ordinal, {Chunk::make(uint32_t(capacity), {number}, ordinal), 0, 0, 0, {number}}});
    return known->second;
  }

  std::vector<StoredSlice> slices_;
  std::unordered_map<uint32_t, size_t> newest_;  // by channel
  uint64_t bytes_ = 0;
};

}  // namespace

LiveRecords::LiveRecords(SegmentPtr segment, std::vector<Wanted> wanted)
    : segment_(std::move(segment)), wanted_(std::move(wanted)) {
  std::sort(wanted_.begin(), wanted_.end(), [](const Wanted& a, const Wanted& b) {
    return std::pair(a.run.offset, a.from) < std::pair(b.run.offset, b.from);
  });
}

std::vector<StoredSlice> LiveRecords::next(uint64_t bytes) {
  Gathered gathered;
  while (gathered.bytes() < bytes) {
    const auto found = find();
    if (!found) break;
    const EntryPrefix& prefix = found->entry->prefix;
    const uint64_t behind = found->wanted->run.offset + found->wanted->run.bytes - found->entry->offset;
    gathered.add(prefix.channel, found->ordinal, prefix.number, found->entry->record, behind);
  }
  return gathered.take();
}

/// The next entry that is wanted.
std::optional<LiveRecords::Found> LiveRecords::find() {
  for (;;) {
    if (!scanner_) {
      if (at_ == wanted_.size()) return {};
      begin_range();
    }
    const StoredEntry* const entry = scanner_->next();
    if (!entry) {
      if (scanner_->error() && !error_) error_ = scanner_->error();
      at_ = range_end_;
      scanner_.reset();
      continue;
    }
    while (at_ < range_end_ && entry->offset >= wanted_[at_].run.offset + wanted_[at_].run.bytes) ++at_;
    if (at_ == range_end_ || entry->offset < wanted_[at_].run.offset) continue;
    const Wanted& wanted = wanted_[at_];
    const uint64_t ordinal = whole_ordinal(entry->prefix.ordinal, wanted.run.ordinal);
    if (entry->prefix.channel == wanted.channel && ordinal >= wanted.from && ordinal < wanted.until)
      return Found{&wanted, ordinal, entry};
  }
}

/// As many wanted runs as lie close together. Two parts of one run are read one after the other.
void LiveRecords::begin_range() {
  const uint64_t begin = wanted_[at_].run.offset;
  uint64_t end = begin + wanted_[at_].run.bytes;
  range_end_ = at_ + 1;
  while (range_end_ < wanted_.size()) {
    const Run& next = wanted_[range_end_].run;
    if (next.offset < end || next.offset > end + kGap) break;
    end = next.offset + next.bytes;
    ++range_end_;
  }
  scanner_.emplace(segment_->file, segment_->header.salts, begin, end);
}

}  // namespace tailrace
