#pragma once
// A channel's log with a data dir: its newest records in memory, all of them on disk.

#include <atomic>
#include <mutex>
#include <vector>

#include "channels/disk/group_commit.h"
#include "channels/disk/record_reader.h"
#include "channels/log.h"
#include "channels/memory_log.h"
#include "channels/notices.h"
#include "channels/place.h"
#include "channels/readers.h"
#include "channels/ring.h"

namespace tailrace {

/// What a log needs of its store; all of it outlives the log.
struct DiskLogServices {
  GroupCommit& commit;
  RecordReader& reader;
  Room& room;
  MemoryPressure& memory;
  bool durable;         // TAILRACE_ACK
  uint64_t ring_bytes;  // how much of one channel stays in memory, 8 MiB
};

/// Where a channel's log stands at its opening.
struct DiskLogStart {
  Position next;            // the base of this start
  uint64_t ordinal = 0;     // records accepted since the channel's creation
  uint64_t first_kept = 0;  // ordinal of the oldest record on disk
  uint64_t bytes = 0;       // on disk
};

/// One lock, held for one batch's copy, one read's look-up, one group's becoming visible. Memory of a quiet
/// one: this object; no file, no descriptor, no sync is its own.
///
///   first_kept_ ≤ floor_ … │ on disk only │ ring: visible │ ring: waits for its group │ ring_.end_ordinal()
///                                                          ▲ visible_
/// append: numbers from the ring's end, one copy, the batch joins pending_; the first of a group notes the
/// log. read: from the ring, or from a chunk that the record reader brought; else it asks for one, and the
/// cursor parks until it has come. The ring forgets its oldest chunk without a loss once that is synced; what
/// bounds take is a loss (floor_).
///
/// Invariants, under the lock: (1) no reader is given a record at or behind visible_; (2) visible_ moves
/// behind a successful sync alone, with `durable`, else at the append and never beyond the synced mark;
/// (3) with `durable` what is not synced is in the ring; (4) a drain's ordinal is never below floor_; (5)
/// pending_ holds consecutive ordinals up to the ring's end. Lock order: this log's, then a pass's, the
/// record reader's, SegmentSet's or the group commit's (GroupCommit::note says why).
class DiskLog : public Log, public CommitLog {
 public:
  DiskLog(Channel& channel, LogLimits limits, DiskLogStart start, DiskLogServices services);

  void append(const Batch& batch, AppendWaiter& waiter) override;
  void add_notice(std::string line) override;
  std::vector<LedgerLine> ledger(uint64_t& accepted) const override;
  LogTotals totals() const override;  // bytes: of disk
  bool crowded() const override;      // also while more waits to be written than may
  void close() override;
  void expire(Micros now) override;

  // ---- the writer and the teller ----
  /// Takes what waits; from here on the next append notes the log again.
  std::vector<PendingBatch> take_pending() override;
  /// Everything before `ordinal` is synced, and takes `bytes` more on disk.
  void synced(uint64_t ordinal, uint64_t bytes) override;
  /// The group is lost: what is not synced is taken back, and whoever waits is told no_room.
  void failed() override;

  // ---- the record reader ----
  void fetched(const Fetched& fetched);

  // ---- the keeper ----
  /// Ordinals below it are dead: no drain, no history, or a bound took them. Arrivals below `oldest` are,
  /// too.
  struct Floor {
    uint64_t ordinal;
    Micros oldest;
  };
  Floor floor() const;
  /// Gives up what lies before `ordinal`: counted, dated, told.
  void lose_before(uint64_t ordinal, DropReason reason, Micros now);
  /// The keeper freed `bytes` of this channel; the oldest record left is `first_kept`.
  void cleaned(uint64_t first_kept, uint64_t bytes);
  /// Forgets the oldest chunk in memory, no loss; false if none can be.
  bool shrink();

  // ---- the position keeper ----
  /// Drains that came further since the last call; 0 if none. A look without the lock tells the rest of the
  /// time.
  size_t take_progress(std::vector<std::pair<uint64_t, Progress>>& out);

 private:
  Channel& channel_;
  const LogLimits limits_;
  const DiskLogServices services_;

  mutable std::mutex mutex_;
  Ring ring_;
  Readers readers_;
  Notices notices_;
  std::vector<PendingBatch> pending_;
  uint64_t visible_, synced_, floor_, first_kept_;
  uint64_t disk_bytes_;
  bool noted_ = false, closed_ = false;
  std::atomic<bool> crowded_{false}, moved_{false};
};

}  // namespace tailrace
