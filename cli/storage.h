#pragma once
// Where a router keeps what it accepted: in memory, or in a data dir.

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "channels/disk/disk_store.h"
#include "channels/memory_catalog.h"
#include "channels/memory_store.h"
#include "cli/settings.h"

namespace tailrace {

StoreLimits limits_of(const Settings& settings);

/// The data dir cannot be used: it is another's, of a newer version, not accessible. what(): one line.
class NoDataDir : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The store, the catalog in front of it, and the admin's credential. Life: made → restore → start → stop;
/// main thread.
class Storage {
 public:
  /// `observer` outlives it. Throws NoDataDir.
  Storage(const Settings& settings, AppendObserver& observer);
  ~Storage();

  Store& store() { return *store_; }
  bool on_disk() const { return disk_ != nullptr; }
  MemoryCatalog& catalog() { return *catalog_; }
  /// `user:password` of the admin, and whether this start made it up: then it must be shown.
  const std::string& auth() const { return auth_; }
  bool auth_is_new() const { return auth_is_new_; }
  /// What links are signed with: with a data dir the same at each start.
  const std::string& link_key() const { return link_key_; }
  /// What ingest hashes its POSTs with, and those that an earlier start answered.
  uint64_t dedupe_seed() const { return dedupe_seed_; }
  std::vector<PostVerdict> posts() const;
  /// What people should know of this start, one line each.
  const std::vector<std::string>& remarks() const { return remarks_; }

  /// Fills the catalog with what was there. Drains must attach before start().
  void restore();
  /// From here on appends are taken.
  void start();
  /// Everything that waits is told, and what a data dir keeps is there. No append may come any more, and no
  /// cursor be attached; loops run still.
  void stop();

 private:
  void choose_auth(const Settings& settings);

  std::unique_ptr<Store> store_;
  DiskStore* disk_ = nullptr;  // it, if there is a data dir
  std::unique_ptr<MemoryCatalog> catalog_;
  std::string auth_;
  bool auth_is_new_ = false;
  std::string link_key_;
  uint64_t dedupe_seed_;
  std::vector<std::string> remarks_;
};

}  // namespace tailrace
