#pragma once
// The thread that brings what was counted to the store of rollups.

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/fair_mutex.h"
#include "base/loops.h"
#include "channels/channel.h"
#include "channels/place.h"
#include "metrics/rollup/rollup_source.h"
#include "metrics/rollup/rollup_store.h"

namespace tailrace {

/// Owns its thread. Every 10 s, and as soon as the source's open windows take too much, it takes each
/// channel's delta and merges several at once into the store, some megabytes in each transaction, then lets
/// the store age. Answers wait for one transaction at most. What could not be stored stays with the keeper,
/// is part of every answer, and is tried again with the next round; beyond a bound the largest are given up,
/// positions and all, so that a start with a data dir counts them from the log.
///
/// With a data dir it reads, after a start and in the background, those records of each channel's log that no
/// stored window counts, and has the source count them. New records are above all of these and cover
/// themselves, so nothing counts twice.
///
/// Life: made → start → read, forget … → stop_thread → stop. Lock order: its lock, then the source's and the
/// store's.
class RollupKeeper {
 public:
  struct Options {
    std::chrono::milliseconds interval{10'000};
    uint64_t most_pending = 64u << 20;  // bytes, about, that wait for the store
    std::function<Micros()> now = wall_now;
  };
  RollupKeeper(RollupSource& source, RollupStore& store, Options options);
  RollupKeeper(RollupSource& source, RollupStore& store) : RollupKeeper(source, store, Options()) {}
  /// stop()s.
  ~RollupKeeper();
  RollupKeeper(const RollupKeeper&) = delete;
  RollupKeeper& operator=(const RollupKeeper&) = delete;

  /// Before the first append of this run. `channels`: all there are; what the store has of others goes. Only
  /// logs that outlive the process are read again.
  void start(const std::vector<ChannelPtr>& channels, bool replay);
  /// Ends the thread: no log is read any more, and no round comes by itself. Before the logs' store stops.
  void stop_thread();
  /// Ends the thread and merges what there is: when everything that was appended has been observed.
  void stop();

  /// What the store has of a channel and what it does not have yet, together. May block.
  Result<RollupStore::Answer> read(uint32_t channel, Micros from, Micros to, const SeriesFilter& filter = {});

  /// The channel was removed, and the source has forgotten it. May block.
  void forget(uint32_t channel);

  /// A round on the caller's thread: for tests, and who cannot wait for the next one.
  Result<void> merge_now();

  /// Channels whose logs are still to be read again.
  size_t replaying() const { return replaying_.load(std::memory_order_relaxed); }
  /// Records of earlier runs that were gone before they could be counted, since the start.
  uint64_t unread() const { return unread_.load(std::memory_order_relaxed); }
  /// Records that were counted and given up, because the store failed for long: a start with a data dir
  /// counts them from the log.
  uint64_t given_up() const { return given_up_.load(std::memory_order_relaxed); }
  /// Lines for whose values open windows had no room.
  uint64_t crowded_out() const { return source_.room().dropped(); }

 private:
  struct Replay {
    ChannelPtr channel;
    Progress end;  // behind what earlier runs appended
  };
  struct Read {
    bool whole = false;    // all that was there
    uint64_t missing = 0;  // records that were not
  };

  void run(const std::stop_token& stop);
  Read replay(const Replay& replay, Loop& loop, const std::stop_token& stop);
  Result<uint64_t> read_again(const Replay& replay, const Covered& covered, Loop& loop,
                              const std::stop_token& stop);
  void finish(const Replay& replay, const Read& read);
  void round_if_due();
  struct Pending {
    RollupDelta delta;
    uint64_t bytes = 0;
  };
  // With the lock held.
  void take(uint32_t channel);
  Result<void> merge_some();
  void hold_bound();
  std::map<uint32_t, Pending>::iterator drop(std::map<uint32_t, Pending>::iterator pending);

  RollupSource& source_;
  RollupStore& store_;
  const Options options_;

  mutable FairMutex mutex_;              // of what follows; held for one transaction, or one answer
  std::map<uint32_t, Pending> pending_;  // taken, and not in the store; by channel
  uint64_t pending_bytes_ = 0;
  uint32_t merged_ = 0;  // the channel that was merged last
  std::set<uint32_t> to_replay_;
  std::set<uint32_t> to_read_anew_;  // given up since their replay began
  bool failing_ = false;
  Micros started_ = 0;
  bool stopped_ = true;  // the main thread's

  std::deque<Replay> replays_;    // the thread's, once it runs
  Mono next_round_{}, rested_{};  // the thread's: when the next one is due, and when it may be
  std::atomic<size_t> replaying_{0};
  std::atomic<uint64_t> unread_{0}, given_up_{0};
  std::jthread thread_;
};

}  // namespace tailrace
