#pragma once
// The thread that keeps house on disk: segments ready ahead, sealed behind, bounds, age, cleaning.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "channels/disk/cleaner.h"
#include "channels/disk/room.h"

namespace tailrace {

class DiskStore;

/// Owns its thread, which makes and seals segments, so that the writer never waits for either. In this order,
/// whenever the head changes and once a second: keeps two segments prepared (and Room open or full by that);
/// seals what was given up; holds the disk bound and the age; lets the Cleaner step.
///
/// Disk bound: while the live bytes of all channels exceed three quarters of TAILRACE_DISK_BYTES, the channel
/// with the most loses its oldest, by whole runs, for the reason `disk`. So a flooding channel pays before a
/// quiet one. Memory bound: over TAILRACE_MEMORY_BYTES the biggest rings forget what is synced. Lock order:
/// DiskStore's registry → a log's. Its own lock is a leaf.
class Keeper {
 public:
  Keeper(DiskStore& store, Room& room, uint64_t disk_bytes);
  ~Keeper();

  /// The writer; none: there is no room. `for_copies`: the last one, too.
  std::optional<PreparedSegment> take_prepared(bool for_copies);
  /// The writer: no entry will be added any more.
  void seal(SegmentPtr segment);

 private:
  void run(const std::stop_token& stop);
  Result<void> prepare_one();
  Result<void> seal_one(Segment& segment);
  void hold_bounds(Micros now);

  DiskStore& store_;
  Room& room_;
  const uint64_t disk_bytes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<PreparedSegment> prepared_;  // guarded by mutex_
  std::deque<SegmentPtr> to_seal_;        // guarded by mutex_
  std::jthread thread_;
};

}  // namespace tailrace
