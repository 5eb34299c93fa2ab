#pragma once
// The catalog's journal in a data dir: catalog.db, and a copy to fall back to.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "channels/catalog_journal.h"
#include "channels/disk/catalog_tables.h"
#include "channels/disk/database_file.h"
#include "channels/disk/sqlite.h"

namespace tailrace {

/// A transaction with synchronous FULL per change; one that cannot be stored is refused, and the next is
/// tried as if nothing had been. The journal's calls come under the catalog's change lock, on threads that
/// may block.
///
/// Owns a thread that makes the copy after each change: beside the old one, read back and checked, synced,
/// renamed. Changes during a copy share the next, and it rests four times as long as it works (5 s at most),
/// so that a thousand changes do not cost a thousand copies. The last one is made at the end.
class CatalogFile final : public CatalogJournal {
 public:
  /// Opens catalog.db; or the copy, if that is missing, damaged or older than the copy; or makes a new one.
  /// What is damaged is kept as catalog.bad.db. Only with the dir's lock. In `error`, one line for people, if
  /// none can be had: a newer version, no access, no room for the first one.
  static std::unique_ptr<CatalogFile> open(const std::string& dir, std::string& error);
  ~CatalogFile() override;

  struct Loaded {
    std::optional<std::array<uint8_t, 16>> data_dir;  // none: set_data_dir() is due
    std::string password_key;                         // for MemoryCatalog
    uint64_t dedupe_seed = 0;                         // the keys of POSTs are hashed with it
    CatalogContents contents;
    bool from_copy = false;
    std::string warning;  // what is wrong with catalog.db, for people; empty: nothing
  };
  /// What was there at opening; once.
  Loaded load();

  /// A new catalog takes the id that the segments have, or a random one.
  Result<void> set_data_dir(const std::array<uint8_t, 16>& id);

  /// Whether a channel of this index was there and was removed. False for those it never knew: it is an older
  /// copy, or a new one. Thread-safe, cheap.
  bool was_removed(uint32_t index) const;

  // ---- of the journal; errors: ChannelErrc::not_stored ----
  Result<void> channel_changed(const ChannelChange& change) override;
  Result<void> channel_removed(const Channel& channel) override;
  Result<void> token_added(const Token& token) override;
  Result<void> token_removed(const Token& token) override;
  Result<void> drain_added(const DrainEntry& drain) override;
  Result<void> drain_url_set(const DrainEntry& drain) override;
  Result<void> drain_paused(const DrainEntry& drain) override;
  Result<void> drain_removed(const DrainEntry& drain) override;
  Result<void> credential_added(const Credential& credential) override;
  Result<void> credential_removed(std::string_view id) override;

 private:
  explicit CatalogFile(const std::string& dir) : own_(dir, "catalog"), copy_(dir, "catalog.copy") {}

  /// Sees to it that there is a catalog.db that can be read, and reads it; else a line for people.
  std::string find();
  std::string use_copy();
  std::string make_new();
  void upgrade();
  void skip_what_a_newer_one_may_have_given();

  Result<void> change(const std::function<void(CatalogChange&)>& alter);
  void copy_after_changes(const std::stop_token& stop);
  Result<void> make_copy(std::unique_lock<std::mutex>& lock);

  const DatabaseFile own_, copy_;
  bool from_copy_ = false;
  std::string warning_;

  std::mutex mutex_;  // of the database; a leaf below the catalog's change lock
  std::condition_variable_any changed_;
  Database db_;            // guarded by mutex_
  CatalogRows rows_;       // guarded by mutex_; its contents are only those of the opening
  bool copy_due_ = false;  // guarded by mutex_

  mutable std::mutex indices_mutex_;                 // a leaf
  std::vector<bool> present_;                        // guarded by indices_mutex_, by index
  uint32_t next_index_ = 0;                          // guarded by indices_mutex_
  std::vector<std::pair<uint32_t, uint32_t>> gaps_;  // guarded by indices_mutex_

  std::jthread copier_;  // last: it uses all of the above
};

}  // namespace tailrace
