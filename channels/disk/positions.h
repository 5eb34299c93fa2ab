#pragma once
// How far each drain has come, and its account: stored four times a second.

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "channels/disk/sqlite.h"
#include "channels/place.h"

namespace tailrace {

/// Owns a thread and positions.db. Every 250 ms, if something moved, one transaction with the progress of the
/// drains that did; a drain that stands still costs nothing. Loops never wait for it.
/// A commit that fails (a full disk) keeps what it had and is tried again; meanwhile a crash means repeats.
/// A database that cannot be read is set aside as positions.bad.db: drains begin where the catalog says.
class Positions {
 public:
  /// `collect`: the progress of what moved since the last call; called on the thread.
  using Collect = std::function<void(std::vector<std::pair<uint64_t, Progress>>&)>;
  Positions(const std::string& dir, Collect collect);
  ~Positions();

  // ---- before start() ----
  struct ChannelEnd {
    uint64_t ordinal = 0;
    Position next;
  };
  const std::map<uint64_t, Progress>& drains() const { return drains_; }
  const std::map<uint32_t, ChannelEnd>& channels() const { return channels_; }

  void start();

  /// Stores now, and survives a power cut when it returns. The keeper, before a segment goes that took
  /// something, with the ends of channels that have no record left; and the stop, with all of them.
  Result<void> sync(const std::vector<std::pair<uint32_t, ChannelEnd>>& ends);

  /// The drain was removed.
  void forget(uint64_t drain);

 private:
  void run(const std::stop_token& stop);
  Result<void> store(bool full);

  const Collect collect_;
  std::mutex mutex_;  // of the database and what waits to be stored; a leaf
  std::condition_variable_any changed_;
  Database db_;
  std::map<uint64_t, Progress> drains_;
  std::map<uint32_t, ChannelEnd> channels_;
  std::jthread thread_;
};

}  // namespace tailrace
