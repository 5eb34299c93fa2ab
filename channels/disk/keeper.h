#pragma once
// The thread that keeps house on disk: segments ready ahead, sealed behind, bounds, age, cleaning.

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "channels/disk/cleaner.h"
#include "channels/disk/group_writer.h"
#include "channels/disk/kept_log.h"
#include "channels/disk/room.h"

namespace tailrace {

/// Owns its thread, which makes and seals segments, so that the writer never waits for either. In this order,
/// whenever the head changes and once a second: keeps two segments prepared (and Room open or full by that);
/// seals what was given up; holds the bounds of disk, age and memory; lets the Cleaner step.
///
/// Disk bound: TAILRACE_DISK_BYTES counts everything, prepared segments included. While the live bytes of all
/// channels exceed three quarters of it, the channel with the most loses its oldest for the reason `disk`. So
/// a flooding channel pays before a quiet one. Memory bound: over TAILRACE_MEMORY_BYTES the biggest rings
/// forget what is synced. Its own lock is a leaf, held during none of this.
class Keeper {
 public:
  struct Parts {
    std::string dir;  // of the segments
    std::array<uint8_t, 16> data_dir;
    SegmentSet& segments;
    Room& room;
    KeptLogs& logs;
    Cleaner::Parts cleaner;
    std::function<void()> retry;  // GroupCommit::retry: there is room again
    uint64_t segment_bytes, disk_bytes, memory_bytes;
    uint64_t next_segment;  // as recovery found it
    std::function<Micros()> now = wall_now;
  };
  explicit Keeper(Parts parts);
  /// stop()s.
  ~Keeper();

  /// Tries to prepare two, on the caller's thread; Room says whether it could. Then the thread runs.
  void start();
  /// Seals what was given to be sealed, removes what is prepared, ends the thread.
  void stop();

  /// The writer; none: there is no room. `for_copies`: the last one, too.
  std::optional<PreparedSegment> take_prepared(bool for_copies);
  /// The writer: no entry will be added any more.
  void seal(SegmentPtr segment);

  /// Why segments cannot be prepared now, for people; empty: they can.
  std::string trouble() const;

 private:
  void run(const std::stop_token& stop);
  Result<void> prepare_one();
  Result<void> seal_one(Segment& segment);
  void hold_bounds(Micros now);

  const Parts parts_;
  Cleaner cleaner_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<PreparedSegment> prepared_;  // guarded by mutex_
  std::deque<SegmentPtr> to_seal_;        // guarded by mutex_
  std::string trouble_;                   // guarded by mutex_
  std::jthread thread_;
};

}  // namespace tailrace
