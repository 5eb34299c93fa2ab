#include "channels/memory_catalog.h"

#include <algorithm>

#include "base/ids.h"
#include "base/text.h"
#include "channels/errc.h"

namespace tailrace {

MemoryCatalog::MemoryCatalog(Store& store, size_t drains_per_channel)
    : store_(store), drains_per_channel_(drains_per_channel) {}

const MemoryCatalog::Entry* MemoryCatalog::find(std::string_view channel_id) const {
  const auto index = index_by_id_.find(channel_id);
  return index == index_by_id_.end() ? nullptr : &by_index_.at(index->second);
}

MemoryCatalog::Entry* MemoryCatalog::find(std::string_view channel_id) {
  return const_cast<Entry*>(std::as_const(*this).find(channel_id));
}

DrainEntry* MemoryCatalog::Entry::drain(uint64_t id) {
  const auto found = std::ranges::find(drains, id, &DrainEntry::id);
  return found == drains.end() ? nullptr : &*found;
}

bool MemoryCatalog::Entry::has_url(const std::string& url) const {
  return std::ranges::find(drains, url, &DrainEntry::url) != drains.end();
}

// ---- look-ups --------------------------------------------------------------------------------------------

ChannelPtr MemoryCatalog::channel(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const Entry* entry = find(id);
  return entry ? entry->channel : nullptr;
}

std::vector<ChannelPtr> MemoryCatalog::channels() const {
  const std::shared_lock lock(mutex_);
  std::vector<ChannelPtr> all;
  all.reserve(by_index_.size());
  for (const auto& [index, entry] : by_index_) all.push_back(entry.channel);
  return all;
}

TokenPtr MemoryCatalog::token(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : found->second;
}

std::vector<TokenPtr> MemoryCatalog::tokens(const Channel& channel) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_index_.find(channel.index);
  return found == by_index_.end() ? std::vector<TokenPtr>{} : found->second.tokens;
}

std::vector<DrainEntry> MemoryCatalog::drains(const Channel& channel) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_index_.find(channel.index);
  return found == by_index_.end() ? std::vector<DrainEntry>{} : found->second.drains;
}

std::optional<Permissions> MemoryCatalog::authenticate(std::string_view user,
                                                       std::string_view password) const {
  const std::string hash = password_hash(password);
  const std::shared_lock lock(mutex_);
  const auto found = credentials_.find(user);
  if (found == credentials_.end() || !equal_in_constant_time(found->second.password_hash, hash))
    return std::nullopt;
  return found->second.permissions;
}

// ---- changes ---------------------------------------------------------------------------------------------

Result<ChannelPtr> MemoryCatalog::add_channel(std::string name) {
  const std::lock_guard change(change_mutex_);
  auto channel = std::make_shared<Channel>();
  channel->id = std::to_string(next_channel_++);
  channel->name = std::move(name);
  channel->index = next_index_++;
  channel->log = store_.open(*channel);
  const std::unique_lock lock(mutex_);
  by_index_[channel->index].channel = channel;
  index_by_id_[channel->id] = channel->index;
  return channel;
}

Result<void> MemoryCatalog::remove_channel(std::string_view id) {
  const std::lock_guard change(change_mutex_);
  Entry gone;
  {
    const std::unique_lock lock(mutex_);
    Entry* entry = find(id);
    if (!entry) return make_error_code(ChannelErrc::not_found);
    gone = std::move(*entry);
    gone.channel->removed = true;
    gone.channel->log->close();
    for (const TokenPtr& token : gone.tokens) tokens_.erase(token->id);
    by_index_.erase(gone.channel->index);
    index_by_id_.erase(gone.channel->id);
  }
  token_epoch_.fetch_add(1, std::memory_order_release);
  if (watcher_) {
    for (const DrainEntry& drain : gone.drains) watcher_->drain_removed(drain);
    watcher_->channel_removed(gone.channel);
  }
  return {};
}

Result<TokenPtr> MemoryCatalog::add_token(std::string_view channel_id, std::string name,
                                          TokenOptions options) {
  const std::lock_guard change(change_mutex_);
  const std::unique_lock lock(mutex_);
  Entry* entry = find(channel_id);
  if (!entry) return make_error_code(ChannelErrc::not_found);
  if (options.id.empty()) options.id = new_token_id();
  if (tokens_.contains(options.id)) return make_error_code(ChannelErrc::exists);
  auto token = std::make_shared<const Token>(
      Token{std::move(options.id), std::move(name), entry->channel, options.strict});
  entry->tokens.push_back(token);
  tokens_[token->id] = token;
  return token;
}

Result<DrainEntry> MemoryCatalog::add_drain(std::string_view channel_id, std::string url) {
  const std::lock_guard change(change_mutex_);
  DrainEntry drain;
  {
    const std::unique_lock lock(mutex_);
    Entry* entry = find(channel_id);
    if (!entry) return make_error_code(ChannelErrc::not_found);
    if (entry->drains.size() >= drains_per_channel_) return make_error_code(ChannelErrc::too_many_drains);
    if (!url.empty() && entry->has_url(url)) return make_error_code(ChannelErrc::exists);
    drain = {next_drain_++, new_drain_token(), std::move(url), entry->channel, entry->channel->log->end()};
    entry->drains.push_back(drain);
  }
  if (watcher_ && !drain.url.empty()) watcher_->drain_added(drain);
  return drain;
}

Result<DrainEntry> MemoryCatalog::set_drain_url(std::string_view channel_id, uint64_t id, std::string url) {
  const std::lock_guard change(change_mutex_);
  DrainEntry drain;
  {
    const std::unique_lock lock(mutex_);
    Entry* entry = find(channel_id);
    DrainEntry* found = entry ? entry->drain(id) : nullptr;
    if (!found) return make_error_code(ChannelErrc::not_found);
    if (!found->url.empty() || entry->has_url(url)) return make_error_code(ChannelErrc::exists);
    found->url = std::move(url);
    found->start = found->channel->log->end();
    drain = *found;
  }
  if (watcher_) watcher_->drain_added(drain);
  return drain;
}

Result<void> MemoryCatalog::remove_drain(std::string_view channel_id, uint64_t id) {
  const std::lock_guard change(change_mutex_);
  DrainEntry drain;
  {
    const std::unique_lock lock(mutex_);
    Entry* entry = find(channel_id);
    DrainEntry* found = entry ? entry->drain(id) : nullptr;
    if (!found) return make_error_code(ChannelErrc::not_found);
    drain = *found;
    entry->drains.erase(entry->drains.begin() + (found - entry->drains.data()));
  }
  if (watcher_ && !drain.url.empty()) watcher_->drain_removed(drain);
  return {};
}

Result<void> MemoryCatalog::add_credential(Credential credential) {
  const std::lock_guard change(change_mutex_);
  const std::unique_lock lock(mutex_);
  std::string id = credential.id;
  credentials_[std::move(id)] = std::move(credential);
  return {};
}

}  // namespace tailrace
