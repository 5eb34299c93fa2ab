#pragma once
// All segments of the data dir.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "channels/disk/io.h"
#include "channels/disk/segment_index.h"
#include "channels/position.h"

namespace tailrace {

/// One segment as readers see it. Shared: who holds it may read its file also after it was cleaned away, so
/// the space of an unlinked one comes back when the last reader lets go. What is not const once it is in the
/// set is guarded by SegmentSet's lock.
struct Segment {
  SegmentHeader header;
  std::optional<BeginText> begin;         // none: it is damaged
  File file;                              // to read
  std::optional<StoredIndex> index;       // sealed
  std::unique_ptr<IndexBuilder> growing;  // not sealed, or the index became unreadable
  uint64_t entries_end = kEntriesAt;      // synced, and not void; grows while it is the head
  uint64_t last_group = 0, mark = 0;
  uint64_t bytes = 0;  // of disk
  Micros newest = 0;
  bool closed = false;  // the keeper's thread alone: it was given to be sealed, nothing will be added
};
using SegmentPtr = std::shared_ptr<Segment>;

/// One stretch of a channel to read: a run, and which of its records to take.
struct Extent {
  SegmentPtr segment;
  Run run;
  uint64_t from = 0, until = 0;  // ordinals
};

/// What a group added to the head.
struct Growth {
  std::vector<AddedRun> runs;
  std::vector<std::pair<PostVerdict, uint64_t>> posts;  // with their offsets
  uint64_t entries = 0, end = 0, group = 0, mark = 0;
};

/// Thread-safe; its lock is a leaf and is not held while a file is read. Written by the writer (the head
/// grows), the keeper (sealed, unlinked) and recovery; read by the record reader, the keeper and `inspect`'s
/// callers.
class SegmentSet {
 public:
  /// What of a segment cannot be read, neither its index nor its entries: an error, or as if it were not
  /// there.
  enum class Unreadable : uint8_t { refused, left_out };

  /// Where records of `channel` from `ordinal` on lie, in order, each once, `most` extents at most. Of a
  /// record that lies in two segments the copy in the newer one. Reads indexes: only for threads that may
  /// block. errors: neither an index nor the entries of its segment can be read.
  Result<std::vector<Extent>> find(uint32_t channel, uint64_t ordinal, size_t most,
                                   Unreadable unreadable = Unreadable::refused) const;
  /// The ordinal of the channel's first record above `position`; behind its last if there is none. Reads
  /// indexes and entries. errors: as find.
  Result<uint64_t> ordinal_behind(uint32_t channel, Position position,
                                  Unreadable unreadable = Unreadable::refused) const;

  /// The channel's record with the lowest ordinal between `from` and `until` that arrived at `time` or later.
  /// Reads indexes, and the entries of those segments that hold one so new, up to it. errors: as find.
  struct RecordAt {
    uint64_t ordinal = 0;
    Position number;
  };
  Result<std::optional<RecordAt>> since(uint32_t channel, uint64_t from, uint64_t until, Micros time) const;

  SegmentPtr oldest() const;            // null: there is none
  std::vector<SegmentPtr> all() const;  // by number
  uint64_t bytes() const;               // of disk; the keeper knows of the prepared ones
  size_t count() const;
  uint64_t newest() const;  // its number; 0: there is none
  /// The number of the newest segment that holds a synced group, and with it the mark; 0: there is none.
  uint64_t newest_synced() const;

  // What one segment holds, sealed or not. errors: an index that cannot be read.
  Result<std::vector<ChannelLine>> lines(const Segment& segment) const;  // in the order of the channels
  /// A line with 0 records: none of it here.
  Result<ChannelLine> line(const Segment& segment, uint32_t channel) const;
  Result<std::vector<Run>> runs(const Segment& segment, const ChannelLine& line) const;  // by ordinal
  Result<std::vector<PostLine>> posts(const Segment& segment) const;

  void add(SegmentPtr segment);
  /// The writer: a group is synced.
  void grew(Segment& head, const Growth& growth);
  /// The keeper: `index` is open on the segment's own file.
  void sealed(Segment& segment, StoredIndex index, uint64_t bytes);
  /// The keeper: its index cannot be read any more, this is what a scan found.
  void rescanned(Segment& segment, IndexBuilder found);
  void remove(const Segment& segment);
  /// Rises when a segment goes, so that extents found earlier are looked up again.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  struct Part;
  Result<std::vector<Part>> parts_of(uint32_t channel, Unreadable unreadable) const;
  Result<void> scan_instead(Segment& segment, const StoredIndex& index) const;
  /// Of a sealed one its index, which is read without the lock; else grown(builder), under it.
  template <class F>
  std::optional<StoredIndex> index_of(const Segment& segment, F&& grown) const;

  mutable std::shared_mutex mutex_;
  std::map<uint64_t, SegmentPtr> segments_;
  std::atomic<uint64_t> generation_{0};
};

}  // namespace tailrace
