#pragma once
// The store with a data dir: everything of channels/disk put together.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "channels/disk/disk_log.h"
#include "channels/disk/keeper.h"
#include "channels/disk/lock_file.h"
#include "channels/disk/positions.h"
#include "channels/disk/recovery.h"

namespace tailrace {

/// Life: open (lock, recovery) → logs are opened by the catalog → start (head synced, threads run) → stop.
/// Built and ended by the main thread. Threads: writer and teller (GroupCommit), record reader, keeper,
/// positions.
///
/// Lock order of the folder, outermost first:
///   catalog's change → registry_mutex_ → a log's → { pass's, record reader's, SegmentSet's, GroupCommit's }
/// and, taken with none of them held: Keeper's, Positions'.
class DiskStore final : public Store {
 public:
  struct Options {
    std::string dir;
    LogLimits limits{.bytes = 1u << 30};
    bool durable = true;                       // TAILRACE_ACK
    uint64_t disk_bytes = uint64_t{10} << 30;  // TAILRACE_DISK_BYTES
    uint64_t memory_bytes = 512u << 20;
    uint64_t segment_bytes = kSegmentBytes;  // smaller in tests
    AppendObserver* observer = nullptr;
  };
  /// In `error`, one line for people, why not: who holds the dir, a newer version, no access. A full disk is
  /// no reason: room() is full then.
  static std::unique_ptr<DiskStore> open(Options options, std::string& error);
  ~DiskStore() override;

  std::unique_ptr<Log> open(const Channel& channel) override;
  /// No number is given before it returned: the first head with its mark is synced, or there is no room.
  void start();
  /// Writes and syncs what waits, stores positions and ends, seals the head.
  void stop();

  /// Whether ingest may go on; see Room.
  const Room& room() const { return room_; }
  /// For the start of the table of repeated POSTs.
  const std::vector<PostVerdict>& posts() const { return recovered_.posts; }
  void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused, AppendWaiter& waiter);
  /// Where a drain goes on; none: it is new.
  std::optional<Progress> progress(uint64_t drain) const;

  /// For /metrics and /readyz.
  struct Status {
    uint64_t bytes = 0, segments = 0;
    uint64_t damaged = 0, torn = 0, missing = 0;  // records, by reason
    std::string unable;                           // why it does not store; empty: it does
  };
  Status status() const;

 private:
  explicit DiskStore(Options options);

  const Options options_;
  LockFile lock_;
  Room room_;
  MemoryPressure memory_;
  SegmentSet segments_;
  Recovered recovered_;
  mutable std::mutex registry_mutex_;
  std::unordered_map<uint32_t, DiskLog*> logs_;  // by Channel::index; guarded by registry_mutex_
  std::unique_ptr<Positions> positions_;
  std::unique_ptr<RecordReader> reader_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<GroupCommit> commit_;  // last: it uses all of the above
};

}  // namespace tailrace
