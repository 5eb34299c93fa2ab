#pragma once
// Groups into segments, one after the other, whatever fails.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "channels/chunk.h"
#include "channels/disk/segment_set.h"
#include "channels/disk/segment_writer.h"
#include "channels/posts.h"

namespace tailrace {

/// A segment that waits to become the head, open twice.
struct PreparedSegment {
  SegmentHeader header;
  File to_write, to_read;
};

/// Records of one channel with numbers and ordinals that rise by one.
struct StoredSlice {
  uint32_t channel = 0;
  uint64_t ordinal = 0;  // of the first
  Slice slice;
};

/// Numbers below the mark may be used; it is raised by this much.
inline constexpr uint64_t kMarkStep = uint64_t{1} << 26;

/// Belongs to the writer thread, but for mark(). Owns the head. A group that does not fit into the head goes
/// on in the next segment, as a group of its own there; all of it counts, or nothing.
///
/// A group whose write or sync fails is written whole into the next segment, once. What of it had come to a
/// segment is void: the next `begin` says so, and the segment is sealed in front of it.
class GroupWriter {
 public:
  struct Parts {
    SegmentSet& segments;
    /// Any thread's work but this one's; none: there is no room. The last one is for copies alone.
    std::function<std::optional<PreparedSegment>(bool for_copies)> next_segment;
    /// Nothing will be added to it any more: to be sealed at its entries_end.
    std::function<void(SegmentPtr)> seal;
  };
  struct Start {
    uint64_t last_segment = 0, entries = 0, next_group = 1;  // as recovery found them
    uint64_t mark = 0;                                       // this start's; synced by the first group
  };
  GroupWriter(Parts parts, Start start) : parts_(std::move(parts)), at_(start), next_mark_(start.mark) {}

  /// When it returns without error all of it is synced, and readers of the set find it. Posts lie behind all
  /// records. Nothing to write: a group without entries, for the mark. errors: no_room; the disk's.
  Result<void> write(std::span<const StoredSlice> records, std::span<const PostVerdict> posts,
                     bool for_copies, Micros now);

  /// Synced: numbers below it may be used and shown. Any thread.
  Position mark() const { return {mark_.load(std::memory_order_acquire)}; }
  /// The next group raises it.
  void raise_mark() { next_mark_ = mark().value + kMarkStep; }

  /// The process stops: the head is given to be sealed.
  void finish();

 private:
  struct Rest;  // of what is to be written
  struct Head {
    SegmentPtr segment;
    SegmentWriter writer;
  };
  struct Touched {
    SegmentPtr segment;
    Growth growth;
  };
  Result<void> write_once(Rest rest, Micros now);
  Result<void> next_head(bool for_copies, Micros now);
  bool write_part(Rest& rest, Micros now, bool& wrote);
  void commit();
  void give_up();

  const Parts parts_;
  Start at_;
  uint64_t next_mark_;
  std::atomic<uint64_t> mark_{0};
  std::optional<Head> head_;
  std::vector<BeginText::Void> voids_;  // that no synced begin tells of yet
  std::vector<Touched> touched_;  // by the group that is being written, in order; the last may be the head
};

}  // namespace tailrace
