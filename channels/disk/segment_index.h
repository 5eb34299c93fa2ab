#pragma once
// Which records of which channel lie where in one segment.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"

namespace tailrace {

/// Entries of one channel side by side, with numbers and ordinals that rise by one.
struct RunLine {
  uint32_t ordinal;  // of the first, its low bits
  uint32_t at;       // offset / 8
  uint32_t records;
  uint32_t bytes;  // / 8
};
static_assert(sizeof(RunLine) == 16);

struct ChannelLine {
  uint32_t channel = 0, records = 0;
  uint64_t lowest_number = 0, highest_number = 0;
  uint64_t lowest_ordinal = 0, highest_ordinal = 0;
  uint64_t bytes = 0;
  Micros newest = 0;
  uint32_t first_run = 0, runs = 0;
};
static_assert(sizeof(ChannelLine) == 64);

struct PostLine {
  std::array<uint8_t, 16> key;
  Micros arrival;
  uint32_t accepted;
  uint32_t rejected_at;  // offset / 8 of the entry that says what was rejected; 0: nothing was
};
static_assert(sizeof(PostLine) == 32);

/// The index of a segment that is being written or was scanned, in memory. Grows in the order of the entries.
/// One thread at a time; SegmentSet guards the head's.
class IndexBuilder {
 public:
  /// `ordinal`: all 64 bits.
  void add(const StoredEntry& record, uint64_t ordinal);
  void add(const PostVerdict& post, uint64_t offset);

  const ChannelLine* channel(uint32_t channel) const;  // null: none of it here
  std::vector<RunLine> runs(uint32_t channel) const;   // by ordinal
  const std::vector<PostLine>& posts() const { return posts_; }
  uint64_t records() const { return records_; }

  /// The index entry's text.
  std::vector<std::byte> text() const;

 private:
  struct Channel {
    ChannelLine line;
    std::vector<RunLine> runs;
  };
  std::map<uint32_t, Channel> channels_;
  std::vector<PostLine> posts_;
  uint64_t records_ = 0;
};

/// The index of a sealed segment, read from its file as it is asked for: nothing of it stays in memory.
/// Thread-safe. Its check is verified once, by whoever opens it; what does not add up afterwards is an error,
/// never a bad read.
class StoredIndex {
 public:
  /// errors: no valid end or index; the segment must be scanned.
  static Result<StoredIndex> open(const File& file, const Salts& salts);

  const EndText& end() const { return end_; }
  /// All lines in pieces, use(span<const ChannelLine>), in the order of the channels.
  template <class F>
  Result<void> for_each(F&& use) const;
  /// By binary search; a line with 0 records: none of it here.
  Result<ChannelLine> channel(uint32_t channel) const;
  Result<std::vector<RunLine>> runs(const ChannelLine& line) const;
  Result<std::vector<PostLine>> posts() const;

 private:
  EndText end_;
  uint64_t lines_at_ = 0, runs_at_ = 0, posts_at_ = 0;
  uint32_t channels_ = 0, runs_ = 0, posts_ = 0;
  const File* file_ = nullptr;
};

}  // namespace tailrace
