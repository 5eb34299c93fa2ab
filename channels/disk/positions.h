#pragma once
// How far each drain has come, and its account: stored four times a second.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channels/disk/database_file.h"
#include "channels/disk/sqlite.h"
#include "channels/place.h"

namespace tailrace {

/// Owns a thread and positions.db. Every 250 ms, if something moved, one transaction with the progress of the
/// drains that did; a drain that stands still costs nothing. Loops never wait for it.
///
/// A commit that fails (a full disk) keeps what it had and is tried again; meanwhile a crash means repeats. A
/// database that is damaged, at the start or later, is set aside as positions.bad.db, and one that cannot be
/// made is tried again: drains begin where the catalog says.
class Positions {
 public:
  /// `collect`: the progress of what moved since the last call. Called with this object's lock held, by
  /// whichever thread stores; it may take a log's lock, so nobody who holds one calls Positions.
  using Collect = std::function<void(std::vector<std::pair<uint64_t, Progress>>&)>;
  struct ChannelEnd {
    uint64_t ordinal = 0;
    Position next;
    /// What lies below was taken by a bound, last for this reason.
    uint64_t lost = 0;
    DropReason lost_for = DropReason::overflow;
  };

  struct Rows {
    std::map<uint64_t, Progress> drains;
    std::map<uint32_t, ChannelEnd> channels;
  };
  /// Reads and checks all of a positions.db: SQLite's integrity_check, and each row's own sum. errors:
  /// is_damage() says which; DiskErrc::newer_version.
  static Result<Rows> read_rows(Database& db);

  /// Only with the dir's lock. In `error`, one line for people: a newer version, no access.
  static std::unique_ptr<Positions> open(const std::string& dir, Collect collect, std::string& error);
  /// The thread ends; what moved since it last stored is sync()'s.
  ~Positions() = default;

  // ---- before start() ----
  const std::map<uint64_t, Progress>& drains() const { return drains_; }
  const std::map<uint32_t, ChannelEnd>& channels() const { return channels_; }
  /// The greatest number in it, for Recovered::base.
  Position highest() const { return highest_; }
  /// What is wrong with positions.db, for people; empty: nothing.
  const std::string& warning() const { return warning_; }
  /// Lines of other drains than these, and of channels that were removed, go.
  void keep_only(const std::set<uint64_t>& drains, const std::function<bool(uint32_t)>& channel_removed);

  void start();

  /// Stores now, and survives a power cut when it returns. The keeper, before a segment goes that took
  /// something, with the ends of channels that have no record left; and the stop, with all of them.
  Result<void> sync(const std::vector<std::pair<uint32_t, ChannelEnd>>& ends);

 private:
  Positions(const std::string& dir, Collect collect)
      : file_(dir, "positions"), collect_(std::move(collect)) {}

  Result<void> read();
  void run(const std::stop_token& stop);
  // ---- with the lock ----
  Result<void> store(Database::Sync sync);
  Result<void> have_database();
  Result<void> write(Database::Sync sync);
  Result<void> write_drains();
  Result<void> write_channels();

  const DatabaseFile file_;
  const Collect collect_;
  Position highest_;
  std::string warning_;

  std::mutex mutex_;  // outermost: of all below
  std::condition_variable_any stopping_;
  Database db_;                              // none: it could not be made yet
  std::map<uint64_t, Progress> drains_;      // as they shall stand in it
  std::map<uint32_t, ChannelEnd> channels_;  // as they shall stand in it
  std::set<uint64_t> moved_drains_;          // not stored yet; those that are not in drains_ are to go
  std::set<uint32_t> moved_channels_;        // not stored yet
  bool failing_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace tailrace
