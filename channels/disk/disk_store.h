#pragma once
// The store with a data dir: everything of channels/disk put together.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "channels/catalog_contents.h"
#include "channels/disk/catalog_file.h"
#include "channels/disk/disk_log.h"
#include "channels/disk/keeper.h"
#include "channels/disk/lock_file.h"
#include "channels/disk/positions.h"
#include "channels/disk/recovery.h"

namespace tailrace {

/// Life: open (lock, catalog, positions, recovery) → the catalog is filled with contents(), and so the logs
/// are opened → drains attach → start (head synced, threads run) → loops end → stop. Built and ended by the
/// main thread. Threads: writer and teller (GroupCommit), record reader, keeper, positions, copier
/// (CatalogFile).
///
/// Lock order of the folder, outermost first:
///   catalog's change → registry_mutex_ → a log's → { pass's, record reader's, SegmentSet's, GroupCommit's,
///   moved_mutex_ }
/// and, taken with none of them held: Keeper's, Positions'.
class DiskStore final : public Store, private KeptLogs, private ProgressListener {
 public:
  struct Options {
    std::string dir;
    StoreLimits limits{.log = {.bytes = 1u << 30}};
    bool durable = true;                 // TAILRACE_ACK
    uint64_t segment_bytes = 0;          // 0: by disk_bytes; smaller in tests
    AppendObserver* observer = nullptr;  // outlives the store
  };
  /// Makes the dir if it is not there. In `error`, one line for people, why not: who holds the dir, a newer
  /// version, no access. A full disk is no reason: there is no room then.
  static std::unique_ptr<DiskStore> open(Options options, std::string& error);
  ~DiskStore() override;

  // ---- before start() ----
  /// What the catalog knew, and how far each drain had come. Once.
  CatalogContents contents();
  CatalogJournal& journal() { return *catalog_; }
  const std::string& password_key() const { return stored_.password_key; }
  /// What ingest hashes its POSTs with, and those of the last five minutes.
  uint64_t dedupe_seed() const { return stored_.dedupe_seed; }
  const std::vector<PostVerdict>& posts() const { return recovered_.posts; }
  /// What people should know of this start, one line each.
  std::vector<std::string> remarks() const;

  /// No number is given before it returned: the first head with its mark is synced, or there is no room.
  void start();
  /// Writes and syncs what waits, stores positions and ends, seals the head. Every waiter is told before it
  /// returns. No append may come any more, and no cursor is attached.
  void stop();

  std::unique_ptr<Log> open(Channel& channel) override;
  bool has_room() const override;
  void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused,
                AppendWaiter& waiter) override;

  std::string trouble() const override;
  StoreStatus status() const override;
  void set_limits(const StoreLimits& limits) override;

 private:
  class Registered;
  using Moved = std::vector<std::pair<ChannelPtr, DiskLog*>>;

  explicit DiskStore(Options options);
  bool open_files(std::string& error);
  DiskLogStart start_of(uint32_t channel) const;
  Result<void> sync_positions(const std::vector<std::pair<uint32_t, uint64_t>>& gone);
  void collect(std::vector<std::pair<uint64_t, Progress>>& out);

  void progressed(ChannelPtr channel, DiskLog& log) override;
  void for_each(const std::function<void(uint32_t, KeptLog&)>& use) override;
  bool with(uint32_t channel, const std::function<void(KeptLog&)>& use) override;
  bool removed(uint32_t channel) const override;

  const Options options_;
  LockFile lock_;
  Room room_;
  SegmentSet segments_;
  CatalogFile::Loaded stored_;
  Recovered recovered_;
  std::map<uint32_t, Positions::ChannelEnd> ends_;  // as the start found them
  Position base_;
  bool catalog_is_new_ = false;

  mutable std::mutex registry_mutex_;
  StoreLimits limits_;                           // guarded by registry_mutex_
  std::unordered_map<uint32_t, DiskLog*> logs_;  // by Channel::index; guarded by registry_mutex_
  std::unordered_map<uint32_t, uint64_t> lost_;  // as positions.db has it; the keeper's
  std::mutex moved_mutex_;
  Moved moved_;  // guarded by moved_mutex_

  std::unique_ptr<CatalogFile> catalog_;
  std::unique_ptr<Positions> positions_;
  std::unique_ptr<RecordReader> reader_;
  std::unique_ptr<Keeper> keeper_;
  std::unique_ptr<GroupCommit> commit_;  // last: it uses all of the above
};

}  // namespace tailrace
