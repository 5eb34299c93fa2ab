#pragma once
// Which records of which channel lie where in one segment.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/result.h"
#include "channels/disk/errc.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"

namespace tailrace {

/// Entries of one channel side by side, with numbers and ordinals that rise by one.
struct Run {
  uint64_t ordinal = 0;  // of the first
  uint64_t offset = 0;
  uint32_t records = 0, bytes = 0;
  uint64_t end_ordinal() const { return ordinal + records; }
  bool operator==(const Run&) const = default;
};

/// The same on disk.
struct RunLine {
  uint32_t ordinal;  // its low bits
  uint32_t at;       // offset / 8
  uint32_t records;
  uint32_t bytes;  // / 8
};
static_assert(sizeof(RunLine) == 16);

struct ChannelLine {
  uint32_t channel = 0, records = 0;
  uint64_t lowest_number = UINT64_MAX, highest_number = 0;
  uint64_t lowest_ordinal = UINT64_MAX, highest_ordinal = 0;
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
  bool operator==(const PostLine&) const = default;
};
static_assert(sizeof(PostLine) == 32);

/// What was written or found, to be added to an index.
struct AddedRun {
  uint32_t channel = 0;
  Run run;
  uint64_t number = 0;  // of the first
  Micros newest = 0;
};

/// The index of a segment that is being written or was scanned, in memory. Grows in the order of the entries;
/// how they are portioned into runs makes no difference. One thread at a time; SegmentSet guards the head's.
class IndexBuilder {
 public:
  void add(const AddedRun& added);
  void add(const PostVerdict& post, uint64_t offset);

  const ChannelLine* channel(
      uint32_t channel) const;                    // null: none of it here. first_run and runs are not set
  std::vector<Run> runs(uint32_t channel) const;  // by ordinal
  template <class F>
  void for_each(F&& use) const {
    for (const auto& [index, channel] : channels_) use(channel.line);
  }
  const std::vector<PostLine>& posts() const { return posts_; }
  uint64_t records() const { return records_; }
  uint64_t entries() const { return records_ + posts_.size(); }
  Micros newest() const { return newest_; }

  /// Appends the index entry, which will lie at `offset`, to `out`. errors: too_big.
  Result<void> write(const Salts& salts, uint64_t offset, Micros now, std::vector<std::byte>& out) const;

 private:
  struct Channel {
    ChannelLine line;
    std::vector<Run> runs;
    size_t latest = 0;         // the run added last, which may grow,
    uint64_t next_number = 0;  // by this number
  };
  std::map<uint32_t, Channel> channels_;
  std::vector<PostLine> posts_;
  uint64_t records_ = 0, runs_ = 0;
  Micros newest_ = 0;
};

/// The size of the index entry at `offset`, if there is one that is whole before `end`: read and checked in
/// pieces. errors: damaged; the disk's.
Result<uint64_t> check_index(const File& file, const Salts& salts, uint64_t offset, uint64_t end);

/// The index of a sealed segment, read from its file as it is asked for: nothing of it stays in memory.
/// Thread-safe; the file outlives it. Its checksum is verified once, by open(); what does not add up
/// afterwards is an error, never a bad read.
class StoredIndex {
 public:
  /// errors: no valid end or index; the segment must be scanned.
  static Result<StoredIndex> open(const File& file, const Salts& salts);

  const EndText& end() const { return end_; }
  uint64_t channels() const { return channels_; }
  uint64_t entries() const { return end_.records + posts_; }
  /// All lines, use(const ChannelLine&), in the order of the channels.
  template <class F>
  Result<void> for_each(F&& use) const;
  /// By binary search; a line with 0 records: none of it here.
  Result<ChannelLine> channel(uint32_t channel) const;
  Result<std::vector<Run>> runs(const ChannelLine& line) const;  // by ordinal
  Result<std::vector<PostLine>> posts() const;

 private:
  template <class T>
  Result<void> read_lines(uint64_t at, std::span<T> out) const;

  EndText end_;
  uint64_t lines_at_ = 0, runs_at_ = 0, posts_at_ = 0;
  uint32_t channels_ = 0, runs_ = 0, posts_ = 0;
  const File* file_ = nullptr;
};

template <class T>
Result<void> StoredIndex::read_lines(uint64_t at, std::span<T> out) const {
  const auto got = file_->read(at, std::as_writable_bytes(out));
  if (!got) return got.error();
  if (*got != out.size_bytes()) return make_error_code(DiskErrc::damaged);
  return {};
}

template <class F>
Result<void> StoredIndex::for_each(F&& use) const {
  std::vector<ChannelLine> lines(std::min<uint32_t>(channels_, 1024));
  for (uint32_t done = 0; done < channels_;) {
    const auto part = std::span(lines).first(std::min<size_t>(lines.size(), channels_ - done));
    const auto got = read_lines(lines_at_ + done * sizeof(ChannelLine), part);
    if (!got) return got.error();
    for (const ChannelLine& line : part) use(line);
    done += uint32_t(part.size());
  }
  return {};
}

}  // namespace tailrace
