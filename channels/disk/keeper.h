#pragma once
// The thread that keeps house on disk: segments ready ahead, sealed behind, bounds, age, cleaning.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "channels/disk/bounds.h"
#include "channels/disk/cleaner.h"
#include "channels/disk/group_writer.h"
#include "channels/disk/kept_log.h"
#include "channels/disk/room.h"
#include "channels/limits.h"

namespace tailrace {

/// So that a small TAILRACE_DISK_BYTES still holds sixteen segments, two of them prepared.
constexpr uint64_t segment_bytes_for(uint64_t disk_bytes) {
  constexpr uint64_t least = 1 << 20;
  return std::clamp(disk_bytes / 16 / 4096 * 4096, least, kSegmentBytes);
}

/// Owns its thread, which makes and seals segments, so that the writer waits for neither unless it is faster
/// than both. In this order, whenever the head changes and once a second: keeps two segments prepared (and
/// Room open or full by that); seals what was given up; holds the bounds of disk, age and memory; lets the
/// Cleaner step.
///
/// Disk bound: TAILRACE_DISK_BYTES counts every file of the directory, prepared segments included. None is
/// prepared beyond it, but the first two of a start, and up to four where copies wait behind records that
/// have no segment. While the live bytes of all channels exceed three quarters of what is left beside the
/// prepared ones, the channel with the most loses its oldest for the reason `disk`. So a flooding channel
/// pays before a quiet one. Memory bound: over TAILRACE_MEMORY_BYTES the biggest rings forget what is synced.
/// Its own lock is a leaf, held during none of this.
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
    std::chrono::milliseconds tick{1000};
  };
  explicit Keeper(Parts parts);
  /// stop()s.
  ~Keeper();

  /// Tries to prepare two, on the caller's thread; Room says whether it could. Then the thread runs.
  void start();
  /// Seals what was given to be sealed, removes what is prepared, ends the thread.
  void stop();

  /// Any thread. Other bounds from now on.
  void set_limits(const StoreLimits& limits);

  /// The writer; none: there is no room. Waits while one more can be prepared, and for one round of the
  /// thread at least. `for_copies`: the last one, too.
  std::optional<PreparedSegment> take_prepared(bool for_copies);
  /// The writer, and whoever starts for what recovery found unsealed: no entry will be added any more.
  void seal(SegmentPtr segment);

  /// Why segments cannot be prepared now, for people; empty: they can.
  std::string trouble() const;

 private:
  void run(const std::stop_token& stop);
  bool round(bool tick);
  void prepare(uint64_t most);
  Result<void> prepare_one();
  bool seal_next(bool tick);
  Result<void> seal_one(Segment& segment);
  void hold_bounds(Micros now, bool tick);
  Cleaner::Step clean(Micros now, bool tick);
  void tell_room(bool tick);
  void count_others();
  uint64_t used() const;
  size_t prepared() const;
  void wake();

  const Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<PreparedSegment> prepared_;  // guarded by mutex_
  std::deque<SegmentPtr> to_seal_;        // guarded by mutex_
  std::string trouble_;                   // guarded by mutex_
  // guarded by mutex_
  bool able_ = false;   // two are prepared, or will be
  bool woken_ = false;  // there is something to do
  bool wanted_ = false, stopped_ = false;
  uint64_t rounds_ = 0;

  std::atomic<uint64_t> disk_bytes_, memory_bytes_;
  std::atomic<Micros> age_;

  // the thread's
  Cleaner cleaner_;
  Bounds bounds_;
  std::vector<SegmentPtr> unsealed_;  // sealing failed
  uint64_t next_segment_;
  uint64_t others_ = 0;    // bytes of files that are in no set
  error_code error_;       // why the last one could not be prepared,
  bool at_bound_ = false;  // or that it may not be
  bool stuck_ = false;     // at the bound, and what the cleaner copied does not come to disk
  bool pressed_ = false;   // the disk bound asks for room
  bool progress_ = false;  // of cleaning, since the last tick
  unsigned stuck_ticks_ = 0;
  bool cleaning_failed_ = false;
  bool started_ = false, closed_ = false, said_ = false;  // Room was closed by this, and a line says so
  uint64_t held_at_ = 0;                                  // bytes used when the disk bound was held last
  uint64_t live_ = 0;                                     // bytes, then
  Micros next_minute_ = 0;

  std::jthread thread_;
};

}  // namespace tailrace
