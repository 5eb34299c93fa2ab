#pragma once
// The catalog without a data dir: gone with the process.

#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "channels/catalog.h"
#include "channels/log.h"

namespace tailrace {

/// Changes are made one at a time under change_mutex_ (which the watcher is called under, too) and published
/// under mutex_, which look-ups share.
class MemoryCatalog final : public Catalog {
 public:
  /// `store` makes each channel's log and outlives the catalog.
  MemoryCatalog(Store& store, size_t drains_per_channel);

  ChannelPtr channel(std::string_view id) const override;
  std::vector<ChannelPtr> channels() const override;
  TokenPtr token(std::string_view id) const override;
  std::vector<TokenPtr> tokens(const Channel& channel) const override;
  std::vector<DrainEntry> drains(const Channel& channel) const override;
  std::optional<Permissions> authenticate(std::string_view user, std::string_view password) const override;
  uint64_t token_epoch() const override { return token_epoch_.load(std::memory_order_acquire); }

  Result<ChannelPtr> add_channel(std::string name) override;
  Result<void> remove_channel(std::string_view id) override;
  Result<TokenPtr> add_token(std::string_view channel_id, std::string name, TokenOptions options) override;
  Result<DrainEntry> add_drain(std::string_view channel_id, std::string url) override;
  Result<DrainEntry> set_drain_url(std::string_view channel_id, uint64_t drain, std::string url) override;
  Result<void> remove_drain(std::string_view channel_id, uint64_t drain) override;
  Result<void> add_credential(Credential credential) override;
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

  Entry* find(std::string_view channel_id);
  const Entry* find(std::string_view channel_id) const;

  Store& store_;
  const size_t drains_per_channel_;
  CatalogWatcher* watcher_ = nullptr;

  std::mutex change_mutex_;
  uint64_t next_channel_ = 1, next_drain_ = 1;  // guarded by change_mutex_
  uint32_t next_index_ = 0;                     // guarded by change_mutex_

  mutable std::shared_mutex mutex_;
  std::map<uint32_t, Entry> by_index_;  // in order of creation
  ById<uint32_t> index_by_id_;
  ById<TokenPtr> tokens_;
  ById<Credential> credentials_;
  std::atomic<uint64_t> token_epoch_{1};
};

}  // namespace tailrace
