#pragma once
// The catalog with a data dir: what MemoryCatalog answers, and SQLite remembers.

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "channels/disk/sqlite.h"
#include "channels/memory_catalog.h"
#include "channels/place.h"

namespace tailrace {

/// Where the changes of a catalog are remembered. MemoryCatalog calls it under its change lock, before it
/// publishes the change; an error refuses the change. (A catalog in memory has one that remembers nothing.)
class CatalogJournal {
 public:
  virtual ~CatalogJournal() = default;
  virtual Result<void> channel_added(const Channel& channel) = 0;
  virtual Result<void> channel_removed(const Channel& channel) = 0;
  virtual Result<void> token_added(const Token& token) = 0;
  virtual Result<void> token_removed(const Token& token) = 0;
  /// `start`: the channel's end now; what is accepted from here on is the drain's, also after a crash.
  virtual Result<void> drain_added(const DrainEntry& drain, const Progress& start) = 0;
  virtual Result<void> drain_url_set(const DrainEntry& drain, const Progress& start) = 0;
  virtual Result<void> drain_removed(const DrainEntry& drain) = 0;
  virtual Result<void> credential_added(const Credential& credential) = 0;
  virtual Result<void> credential_removed(std::string_view id) = 0;
};

/// catalog.db: a transaction with synchronous FULL per change. Called under the catalog's change lock, on
/// threads that may block. Owns a thread that makes the checked copy after each change; changes during a copy
/// share the next.
class CatalogFile final : public CatalogJournal {
 public:
  /// Opens catalog.db, or the copy if that cannot be read, or makes a new one. In `error`, one line for
  /// people, if none can be had: a newer version, no access, no room for the first one.
  static std::unique_ptr<CatalogFile> open(const std::string& dir, std::string& error);
  ~CatalogFile() override;

  /// Everything in it, for the start. `index` at least `first_free_index` for new channels: no index that
  /// occurs in a segment is given out.
  struct Contents {
    std::array<uint8_t, 16> data_dir{};
    std::string password_key;
    std::vector<ChannelPtr> channels;  // without logs
    std::vector<Token> tokens;
    std::vector<std::pair<DrainEntry, Progress>> drains;
    std::vector<Credential> credentials;
    uint32_t next_index = 0;
    bool from_copy = false;
  };
  Result<Contents> load();

  Result<void> channel_added(const Channel& channel) override;
  Result<void> channel_removed(const Channel& channel) override;
  Result<void> token_added(const Token& token) override;
  Result<void> token_removed(const Token& token) override;
  Result<void> drain_added(const DrainEntry& drain, const Progress& start) override;
  Result<void> drain_url_set(const DrainEntry& drain, const Progress& start) override;
  Result<void> drain_removed(const DrainEntry& drain) override;
  Result<void> credential_added(const Credential& credential) override;
  Result<void> credential_removed(std::string_view id) override;

 private:
  CatalogFile() = default;
  void copy_after_changes(const std::stop_token& stop);

  std::string dir_;
  std::mutex mutex_;  // of the database; a leaf below the catalog's change lock
  std::condition_variable_any changed_;
  Database db_;
  bool copy_due_ = false;  // guarded by mutex_
  std::jthread copier_;
};

}  // namespace tailrace
