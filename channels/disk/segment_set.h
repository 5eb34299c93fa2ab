#pragma once
// All segments of the data dir.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "channels/disk/io.h"
#include "channels/disk/segment_index.h"

namespace tailrace {

/// One segment as readers see it. Shared: who holds it may read its file also after it was cleaned away, so
/// the space of an unlinked one comes back when the last reader lets go.
struct Segment {
  SegmentHeader header;
  File file;                              // to read
  std::optional<StoredIndex> index;       // sealed
  std::unique_ptr<IndexBuilder> growing;  // not sealed; guarded by SegmentSet's lock
  uint64_t entries_end = 0;               // synced, and not void; grows while it is the head
  uint64_t bytes = 0;                     // of disk
  Micros newest = 0;
};
using SegmentPtr = std::shared_ptr<Segment>;

/// One stretch of a channel to read: a run and where it is.
struct Extent {
  SegmentPtr segment;
  uint64_t ordinal = 0;
  uint64_t offset = 0;
  uint32_t records = 0, bytes = 0;
};

/// Thread-safe; its lock is a leaf and is not held while a file is read. Written by the writer (the head
/// grows), the keeper (sealed, unlinked) and recovery; read by the record reader, the keeper and `inspect`'s
/// callers.
class SegmentSet {
 public:
  /// Where records of `channel` from `ordinal` on lie, in order, each once, about `most` extents. Reads
  /// indexes: only for threads that may block.
  Result<std::vector<Extent>> find(uint32_t channel, uint64_t ordinal, size_t most) const;
  /// The ordinal of the channel's first record above `position`; its end if there is none.
  Result<uint64_t> ordinal_behind(uint32_t channel, Position position) const;

  SegmentPtr oldest() const;
  std::vector<SegmentPtr> all() const;  // by number
  uint64_t bytes() const;               // of disk, prepared ones included

  void add(SegmentPtr segment);
  /// The writer: a group is synced; what it added to the head's index, and its new end.
  void grew(Segment& head, std::span<const StoredEntry> entries, std::span<const uint64_t> ordinals,
            uint64_t end);
  void sealed(Segment& segment, StoredIndex index, uint64_t bytes);
  void remove(const Segment& segment);
  /// Rises when a segment goes, so that extents found earlier are looked up again.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::shared_mutex mutex_;
  std::map<uint64_t, SegmentPtr> segments_;
  std::atomic<uint64_t> generation_{0};
};

}  // namespace tailrace
