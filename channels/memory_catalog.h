#pragma once
// The catalog in memory. What outlives the process is its journal's business.

#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "channels/catalog.h"
#include "channels/catalog_contents.h"
#include "channels/catalog_journal.h"
#include "channels/log.h"

namespace tailrace {

/// Changes are made one at a time under change_mutex_ (which the journal and the watcher are called under,
/// too) and published under mutex_, which look-ups share: no look-up waits for a disk. Whoever holds
/// change_mutex_ reads without mutex_.
class MemoryCatalog final : public Catalog {
 public:
  struct Options {
    size_t drains_per_channel = 0;
    std::string password_key = {};      // 32 bytes; empty: random ones
    CatalogJournal* journal = nullptr;  // outlives the catalog; null: nothing is remembered
  };
  /// `store` makes each channel's log and outlives the catalog.
  MemoryCatalog(Store& store, Options options);

  /// From the next drain on; those that are there stay.
  void set_drains_per_channel(size_t most) { drains_per_channel_.store(most, std::memory_order_relaxed); }

  /// What was there when an earlier process ended; once, before any other call.
  void restore(CatalogContents contents);
  /// The credential that this start was given: may do all, goes before one with the same name, and is not
  /// journaled.
  void set_admin(std::string user, std::string_view password);

  ChannelPtr channel(std::string_view id) const override;
  std::vector<ChannelPtr> channels() const override;
  TokenPtr token(std::string_view id) const override;
  std::vector<TokenPtr> tokens(const Channel& channel) const override;
  std::vector<DrainEntry> drains(const Channel& channel) const override;
  std::vector<Credential> credentials() const override;
  std::optional<Credential> credential(std::string_view id) const override;
  std::optional<Permissions> authenticate(std::string_view user, std::string_view password) const override;
  uint64_t token_epoch() const override { return token_epoch_.load(std::memory_order_acquire); }

  Result<ChannelPtr> add_channel(std::string name, std::vector<std::string> tokens = {}) override;
  Result<PutChannel> put_channel(std::string id, ChannelWish wish) override;
  Result<void> remove_channel(std::string_view id) override;
  Result<TokenPtr> add_token(std::string_view channel_id, std::string name, TokenOptions options) override;
  Result<void> remove_token(std::string_view channel_id, std::string_view token) override;
  Result<DrainEntry> add_drain(std::string_view channel_id, std::string url,
                               DrainChoice choice = {}) override;
  Result<DrainEntry> set_drain_url(std::string_view channel_id, uint64_t drain, std::string url,
                                   DrainChoice choice = {}) override;
  Result<DrainEntry> replace_drain(std::string_view channel_id, uint64_t drain, std::string url,
                                   DrainChoice choice = {}) override;
  Result<DrainEntry> set_drain_paused(std::string_view channel_id, uint64_t drain, bool paused) override;
  Result<void> remove_drain(std::string_view channel_id, uint64_t drain) override;
  Result<void> add_credential(Credential credential, std::string_view password) override;
  Result<void> remove_credential(std::string_view id) override;
  void watch(CatalogWatcher* watcher) override { watcher_ = watcher; }

 private:
  struct Entry {
    ChannelPtr channel;
    std::vector<TokenPtr> tokens;
    std::vector<DrainEntry> drains;

    DrainEntry* drain(uint64_t id);  // null if unknown
    bool has_url(const std::string& url) const;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class T>
  using ById = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  Result<std::optional<Progress>> begin_of(std::string_view channel_id, const DrainChoice& choice) const;
  Result<PutChannel> put(std::string id, ChannelWish wish);
  Result<DrainEntry> give_url(Entry& entry, DrainEntry& drain, std::string url, DrainChoice choice,
                              const std::optional<Progress>& begin);
  const Credential* find_credential(std::string_view id) const;
  Entry* find(std::string_view channel_id);
  const Entry* find(std::string_view channel_id) const;

  Store& store_;
  const Options options_;
  std::atomic<size_t> drains_per_channel_;
  CatalogWatcher* watcher_ = nullptr;

  std::mutex change_mutex_;
  uint64_t next_drain_ = 1;  // guarded by change_mutex_
  uint32_t next_index_ = 0;  // guarded by change_mutex_

  mutable std::shared_mutex mutex_;
  std::map<uint32_t, Entry> by_index_;  // in order of creation
  ById<uint32_t> index_by_id_;
  ById<TokenPtr> tokens_;
  std::map<std::string, Credential, std::less<>> credentials_;
  Credential admin_;
  std::atomic<uint64_t> token_epoch_{1};
};

}  // namespace tailrace
