#pragma once
// A channel's log with a data dir: its newest records in memory, all of them on disk.

#include <utility>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/disk/kept_log.h"
#include "channels/disk/record_reader.h"
#include "channels/disk/stored_bytes.h"
#include "channels/local_log.h"

namespace tailrace {

class DiskLog;

/// Told, under the log's lock, that drains came further: once until take_progress().
class ProgressListener {
 public:
  virtual ~ProgressListener() = default;
  virtual void progressed(ChannelPtr channel, DiskLog& log) = 0;
};

/// What a log needs of its store; all of it outlives the log.
struct DiskLogServices {
  GroupCommit& commit;
  RecordReader& reader;
  const SegmentSet& segments;
  Room& room;
  ProgressListener& progress;
  AppendObserver* observer;  // of appends that are told at once; may be null
  bool durable;              // TAILRACE_ACK
  uint64_t ring_bytes;       // how much of one channel stays in memory
};

/// Where a channel's log stands at its opening.
struct DiskLogStart {
  Position next;            // the base of this start
  uint64_t ordinal = 0;     // records accepted since the channel's creation
  uint64_t first_kept = 0;  // ordinal of the oldest record on disk
  uint64_t bytes = 0;       // on disk
  uint64_t lost = 0;        // what lies below was taken by a bound
  DropReason lost_for = DropReason::overflow;
};

/// Memory of a quiet one: this object and a small chunk; no file, no descriptor, no sync is its own.
///
///   first_kept_ ≤ floor_ … │ on disk only │ ring: visible │ ring: waits for its group │ ring_.end_ordinal()
///                                                          ▲ visible_
/// append: numbers from the ring's end, one copy, the batch joins pending_; the first of a group notes the
/// log. read: from the ring, or from a chunk that the record reader brought; else it asks for one, and the
/// cursor parks until it has come. The ring forgets its oldest chunk without a loss once that is synced; what
/// bounds take is a loss (floor_).
///
/// Invariants, under the lock: (1) no reader is given a record at or behind visible_; (2) with `durable`
/// visible_ = synced_, else it is the ring's end; (3) with `durable` what is not synced is in the ring; (4)
/// no cursor's ordinal is below floor_, but that of one with a filter while it is not known what of that it
/// wanted: then the rest is read for it, up to dead_below() nothing is cleaned, and it is given nothing; (5)
/// pending_ holds rising ordinals below the ring's end. Lock order: this log's, then a pass's, the record
/// reader's, the progress listener's or the group commit's (GroupCommit::note says why).
class DiskLog : public LocalLog, public CommitLog, public FetchLog, public KeptLog {
 public:
  DiskLog(Channel& channel, LogLimits limits, DiskLogStart start, DiskLogServices services);

  void append(const Batch& batch, AppendWaiter& waiter) override;
  LogTotals totals() const override;  // bytes: of disk
  void expire(Micros now) override;

  Read read(CursorState& cursor, uint32_t max_bytes) override;
  bool park(CursorState& cursor) override;

  // ---- the writer and the teller ----
  std::vector<PendingBatch> take_pending() override;
  void synced(uint64_t ordinal, uint64_t bytes) override;
  void failed() override;

  // ---- the record reader ----
  void fetched(const Fetched& fetched) override;

  // ---- the keeper ----
  uint64_t floor() const override;
  uint64_t dead_below() const override;
  uint64_t synced_end() const override;
  void lose_before(uint64_t ordinal, DropReason reason, Micros now) override;
  void cleaned(uint64_t first_kept, uint64_t bytes) override;
  uint64_t live_bytes() const override;
  uint64_t spare_bytes() const override;
  void give_up_spare(uint64_t bytes, Micros now) override;
  uint64_t memory() const override;
  bool shrink() override;

  // ---- the position keeper ----
  /// What a start needs of the log itself.
  struct Ends {
    uint64_t ordinal = 0;
    Position next;
    uint64_t lost = 0;
    DropReason lost_for = DropReason::overflow;
  };
  Ends ends() const;
  /// use(drain's id, Progress) for each drain that came further since the last call.
  template <class F>
  void take_progress(F&& use) {
    const std::lock_guard lock(mutex_);
    told_progress_ = false;
    for (const auto& [drain, last] : left_) use(drain, last);
    left_.clear();
    readers_.take_progress(use);
  }

  void set_limits(LogLimits limits);

 private:
  // All of these are called with the lock held.
  uint64_t visible_end() const override { return visible_; }
  Micros arrival_before_ring(uint64_t ordinal) const override { return stored_.arrival_of(ordinal); }
  void progressed() override;
  void left(uint64_t drain, const Progress& last) override;
  uint64_t oldest() const override { return std::max(floor_, first_kept_); }
  uint64_t begin_at(CursorState& cursor, const Place& place) override;
  Result<std::optional<Found>> since_below(uint64_t from, uint64_t until, Micros time) const override;
  Read ask(CursorState& cursor, Read result);
  void tell_gone(CursorState& cursor, Position first);
  void lose(uint64_t ordinal, DropReason reason, Micros now, const ChunkRef& forgotten = {});
  void judge_doomed();
  void hold_bounds(Micros now);
  void trim_ring(Micros now);
  bool may_forget(uint64_t end) const;
  uint64_t spare_end() const;
  void drop_below_floor();
  void raise_mark_in_time();
  bool forget_front(DropReason reason, Micros now);

  Channel& channel_;
  LogLimits limits_;
  const DiskLogServices services_;

  std::vector<PendingBatch> pending_;
  StoredBytes stored_;
  uint64_t visible_, synced_, floor_, first_kept_;
  uint64_t disk_bytes_;
  uint64_t bytes_below_ = 0;  // of stored_, before oldest()
  Position mark_asked_;
  DropReason lost_for_;                              // below floor_, the latest
  std::vector<std::pair<uint64_t, Progress>> left_;  // of drains that went, until taken
  bool noted_ = false, told_progress_ = false;
};

}  // namespace tailrace
