#pragma once
// The threads that make appends durable: a group is what was appended while the group before was synced.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "channels/channel.h"
#include "channels/disk/group_writer.h"
#include "channels/disk/room.h"
#include "channels/log.h"
#include "channels/observer.h"

namespace tailrace {

/// One append that waits for its group.
struct PendingBatch {
  std::vector<Slice> slices;  // pinned until told
  uint64_t first_ordinal = 0;
  AppendWaiter* waiter = nullptr;  // null: was told already (TAILRACE_ACK=memory)
};

/// A channel's log as the group commit sees it. DiskLog is one.
class CommitLog {
 public:
  virtual ~CommitLog() = default;
  /// On the writer: what waits, with ordinals that go on where the last call's ended; from here on the next
  /// append notes the log again.
  virtual std::vector<PendingBatch> take_pending() = 0;
  /// On the teller: everything before `ordinal` is synced, and takes `bytes` more on disk.
  virtual void synced(uint64_t ordinal, uint64_t bytes) = 0;
  /// On the teller: what is not synced is lost and taken back; who waits in the log is told no_room by it
  /// (who waited in the group, by the group commit). The writer takes nothing before it returned.
  virtual void failed() = 0;
};

/// Records that the cleaner moves to the head, numbers and ordinals unchanged, and posts that still count.
struct Copies {
  std::vector<StoredSlice> records;
  std::vector<PostVerdict> posts;
  std::function<void(Result<void>)> done;  // on the teller, behind the sync
};

/// Owns two threads. *Writer*: takes what waits, writes and syncs it. *Teller*: for each group, in their
/// order: makes it visible and wakes cursors (each log's lock), answers the waiters, calls the append
/// observer; meanwhile the writer is at the next group. There is no timer: an idle writer begins with the
/// first append. The writer takes each noted log's lock once per group, for a swap, so a group holds the
/// records of one channel side by side.
///
/// A group that cannot be stored (GroupWriter tried twice) is told no_room, with all that waits behind it in
/// the same logs, and the logs take their records back; Room is closed until the keeper opens it. Without
/// `durable` the group is kept instead, and tried again at each retry().
/// Lock order: log → this object's own lock, a leaf. SegmentSet's is taken with neither held.
class GroupCommit {
 public:
  struct Parts {
    Room& room;
    AppendObserver* observer = nullptr;  // may be null
    bool durable = true;                 // else records are visible at once, and waiters were told
    std::function<Micros()> now = wall_now;
  };
  GroupCommit(Parts parts, GroupWriter::Parts writer, GroupWriter::Start start);
  /// stop()s.
  ~GroupCommit();

  /// Syncs a first head with the mark of this start, on the caller's thread, then lets the threads run, also
  /// if that failed. errors: no_room, the disk's; then no number may be shown before mark() says so.
  Result<void> start();
  /// Writes what waits, tells it, ends both threads and gives the head to be sealed. No append may come any
  /// more.
  void stop();

  /// The log has its first batch waiting. Called under the log's lock: else a post could overtake a record of
  /// its own POST in a log that another thread was about to note (D14). Holds the channel until it was told.
  /// False: it has stopped, and will not take it.
  bool note(ChannelPtr channel, CommitLog& log);

  /// Behind every append of the same POST that was enqueued before; `refused` is set by a waiter whose append
  /// failed, and then nothing is written, and the waiter is told no_room. The waiter is called like an
  /// append's.
  void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused, AppendWaiter& waiter);

  /// The keeper: taken along while they are at most a quarter of a group, or alone.
  void copy(Copies copies);

  /// Synced: numbers below it may be used and shown.
  Position mark() const { return writes_.mark(); }
  /// A channel has come beyond the middle of what the mark allows.
  void raise_mark();
  /// The keeper: there is room again.
  void retry();

 private:
  struct Share {
    ChannelPtr channel;
    CommitLog* log;
    std::vector<PendingBatch> batches;
  };
  struct Post {
    PostVerdict verdict;
    std::shared_ptr<const std::atomic<bool>> refused;
    AppendWaiter* waiter;
  };
  struct Group {
    std::vector<Share> shares;
    std::vector<Post> posts;
    std::vector<Copies> copies;
    error_code error;
    uint64_t waiting = 0;  // bytes that Room counts
  };
  bool take(Group& group);
  void store(Group& group);
  bool wait_for_room();
  Result<void> write(const Group& group);
  void hand_over(Group group);
  void write_groups();
  void tell_groups();
  void tell(Group& group);

  const Parts parts_;
  GroupWriter writes_;  // the writer's, but for its mark

  std::mutex mutex_;
  std::condition_variable to_write_, to_tell_, told_;
  // guarded by mutex_
  std::vector<Share> noted_;
  std::vector<Post> posts_;
  std::deque<Copies> copies_;
  std::deque<Group> synced_;  // for the teller
  bool telling_ = false, raise_ = false, retry_ = false, stopping_ = false, written_all_ = false;
  bool stopped_ = false;  // the writer takes nothing any more

  std::jthread writer_, teller_;
};

}  // namespace tailrace
