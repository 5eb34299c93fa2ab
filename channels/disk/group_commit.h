#pragma once
// The thread that writes: a group is what was appended while the group before was synced.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "channels/channel.h"
#include "channels/chunk.h"
#include "channels/disk/room.h"
#include "channels/disk/segment_set.h"
#include "channels/disk/segment_writer.h"
#include "channels/log.h"
#include "channels/observer.h"
#include "channels/posts.h"

namespace tailrace {

class DiskLog;

/// One append that waits for its group.
struct PendingBatch {
  std::vector<Slice> slices;  // pinned until told
  uint64_t first_ordinal = 0;
  AppendWaiter* waiter = nullptr;  // null: was told already (TAILRACE_ACK=memory)
};

/// Records that the cleaner moves to the head; numbers and ordinals stay.
struct CopiedRecords {
  uint32_t channel = 0;
  uint64_t first_ordinal = 0;
  Slice slice;
};

/// Owns two threads. *Writer*: takes what waits, writes and syncs it. *Teller*: for each group, in their
/// order: makes it visible and wakes cursors (each log's lock), answers the waiters, calls the append
/// observer; meanwhile the writer is at the next group. There is no timer: an idle writer begins with the
/// first append.
///
/// An append takes its log's lock only. The first one since the log was last taken from then calls note(),
/// which takes this object's lock for a push; never while a log's lock is held. The writer takes each noted
/// log's lock once per group, for a swap. So a group holds the records of one channel side by side.
///
/// A group that fails is written whole into the next segment, once. If that fails too, its waiters and all
/// that waited behind it in the same logs are told no_room, and the logs take their records back. Without
/// `durable` they keep them, and the group is tried again when there is room.
/// Lock order: log → SegmentSet; this object's own lock is a leaf.
class GroupCommit {
 public:
  struct Parts {
    SegmentSet& segments;
    Room& room;
    AppendObserver* observer;  // may be null
    bool durable;              // else records are visible at once, and the teller only answers
    /// A prepared segment, if there is one; the last one for copies alone.
    std::function<std::optional<SegmentWriter>(bool for_copies)> next_segment;
    /// The head is full or was given up: to be sealed at its end.
    std::function<void(SegmentPtr)> seal;
  };
  explicit GroupCommit(Parts parts);
  /// Writes what waits, then ends both threads. No append may come any more.
  ~GroupCommit();

  void start(SegmentWriter head, uint64_t next_group, uint64_t mark);

  /// The log has its first batch waiting. Holds the channel until its group was told.
  void note(ChannelPtr channel);

  /// Behind every append of the same POST that was enqueued before; `refused` is set by a waiter whose append
  /// failed, and then nothing is written. The waiter is called like an append's.
  void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused, AppendWaiter& waiter);

  /// The keeper: at most a quarter of a group are copies. `done` on the teller, behind the sync.
  void copy(std::vector<CopiedRecords> records, std::function<void(Result<void>)> done);

  /// Synced: numbers below it may be used and shown.
  Position mark() const { return {mark_.load(std::memory_order_acquire)}; }
  /// A channel has come beyond the middle of what the mark allows.
  void raise_mark();

 private:
  struct Group;
  void write_groups(const std::stop_token& stop);
  void tell(const std::stop_token& stop);

  const Parts parts_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<ChannelPtr> noted_;  // guarded by mutex_, as are posts and copies
  std::atomic<uint64_t> mark_{0};
  std::jthread writer_, teller_;
};

}  // namespace tailrace
