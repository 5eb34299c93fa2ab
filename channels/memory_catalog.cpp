#include "channels/memory_catalog.h"

#include <algorithm>
#include <set>

#include "base/ids.h"
#include "base/text.h"
#include "channels/errc.h"

namespace tailrace {
namespace {

MemoryCatalog::Options with_key(MemoryCatalog::Options options) {
  if (options.password_key.empty()) options.password_key = random_hex(32);
  return options;
}

bool is_number(std::string_view id) {
  return std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

MemoryCatalog::MemoryCatalog(Store& store, Options options)
    : store_(store),
      options_(with_key(std::move(options))),
      drains_per_channel_(options_.drains_per_channel) {}

void MemoryCatalog::restore(CatalogContents contents) {
  const std::lock_guard change(change_mutex_);
  const std::unique_lock lock(mutex_);
  next_index_ = std::max(contents.next_index, contents.first_free_index);
  next_drain_ = contents.next_drain;
  for (auto& stored : contents.channels) {
    auto channel = std::make_shared<Channel>();
    channel->id = std::move(stored.id);
    channel->set_name(std::move(stored.name));
    channel->no_tail = stored.no_tail;
    channel->no_history = stored.no_history;
    channel->index = stored.index;
    channel->log = store_.open(*channel);
    next_index_ = std::max(next_index_, channel->index + 1);
    index_by_id_[channel->id] = channel->index;
    by_index_[channel->index].channel = std::move(channel);
  }
  for (auto& stored : contents.tokens) {
    Entry& entry = by_index_.at(stored.channel);
    auto token = std::make_shared<const Token>(
        Token{std::move(stored.id), std::move(stored.name), entry.channel, stored.strict});
    tokens_[token->id] = token;
    entry.tokens.push_back(std::move(token));
  }
  for (auto& stored : contents.drains) {
    Entry& entry = by_index_.at(stored.channel);
    next_drain_ = std::max(next_drain_, stored.id + 1);
    entry.drains.push_back({stored.id, std::move(stored.token), std::move(stored.url), entry.channel,
                            stored.start, std::move(stored.options), stored.paused});
  }
  for (Credential& credential : contents.credentials) {
    std::string id = credential.id;
    credentials_[std::move(id)] = std::move(credential);
  }
}

void MemoryCatalog::set_admin(std::string user, std::string_view password) {
  Credential admin{.id = std::move(user),
                   .name = "admin",
                   .permissions = {.full_api = true, .any_channel = true, .read = {}},
                   .password_hash = password_hash(options_.password_key, password)};
  const std::lock_guard change(change_mutex_);
  const std::unique_lock lock(mutex_);
  admin_ = std::move(admin);
}

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

std::vector<Credential> MemoryCatalog::credentials() const {
  const std::shared_lock lock(mutex_);
  std::vector<Credential> all;
  all.reserve(credentials_.size());
  for (const auto& [id, credential] : credentials_)
    all.push_back({credential.id, credential.name, credential.permissions, {}});
  return all;
}

/// With the lock held; null: there is none.
const Credential* MemoryCatalog::find_credential(std::string_view id) const {
  if (!admin_.id.empty() && id == admin_.id) return &admin_;
  const auto found = credentials_.find(id);
  return found == credentials_.end() ? nullptr : &found->second;
}

std::optional<Credential> MemoryCatalog::credential(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const Credential* const found = find_credential(id);
  return found ? std::optional(*found) : std::nullopt;
}

std::optional<Permissions> MemoryCatalog::authenticate(std::string_view user,
                                                       std::string_view password) const {
  const std::string hash = password_hash(options_.password_key, password);
  const std::shared_lock lock(mutex_);
  const Credential* const credential = find_credential(user);
  if (!credential || !equal_in_constant_time(credential->password_hash, hash)) return std::nullopt;
  return credential->permissions;
}

// ---- changes ---------------------------------------------------------------------------------------------

Result<ChannelPtr> MemoryCatalog::add_channel(std::string name, std::vector<std::string> tokens) {
  const std::lock_guard change(change_mutex_);
  const auto made =
      put(std::to_string(uint64_t{next_index_} + 1),
          {.name = std::move(name), .no_tail = {}, .no_history = {}, .tokens = std::move(tokens)});
  if (!made) return made.error();
  return made->channel;
}

Result<MemoryCatalog::PutChannel> MemoryCatalog::put_channel(std::string id, ChannelWish wish) {
  const std::lock_guard change(change_mutex_);
  if (is_number(id) && !find(id)) return make_error_code(ChannelErrc::is_counted);
  return put(std::move(id), std::move(wish));
}

/// With change_mutex_ held.
Result<MemoryCatalog::PutChannel> MemoryCatalog::put(std::string id, ChannelWish wish) {
  Entry* const entry = find(id);
  ChannelPtr channel = entry ? entry->channel : std::make_shared<Channel>();
  if (!entry) {
    channel->index = next_index_;
    channel->id = std::move(id);
  }
  ChannelChange change{.channel = *channel,
                       .created = !entry,
                       .name = wish.name ? std::move(*wish.name) : channel->name(),
                       .no_tail = wish.no_tail.value_or(channel->no_tail),
                       .no_history = wish.no_history.value_or(channel->no_history),
                       .made = {},
                       .gone = {}};
  std::vector<TokenPtr> tokens = entry ? entry->tokens : std::vector<TokenPtr>{};
  if (wish.tokens) {
    const std::set<std::string> wanted(wish.tokens->begin(), wish.tokens->end());
    std::set<std::string> missing = wanted;
    for (const TokenPtr& token : std::exchange(tokens, {})) {
      (wanted.contains(token->name) ? tokens : change.gone).push_back(token);
      missing.erase(token->name);
    }
    for (const std::string& name : *wish.tokens)
      if (missing.erase(name))
        change.made.push_back(std::make_shared<const Token>(Token{new_token_id(), name, channel, false}));
    tokens.insert(tokens.end(), change.made.begin(), change.made.end());
  }
  if (options_.journal)
    if (const auto stored = options_.journal->channel_changed(change); !stored) return stored.error();
  if (!entry) {
    channel->log = store_.open(*channel);
    ++next_index_;
  }
  channel->set_name(std::move(change.name));
  channel->no_tail = change.no_tail;
  channel->no_history = change.no_history;
  {
    const std::unique_lock lock(mutex_);
    Entry& now = by_index_[channel->index];
    now.channel = channel;
    now.tokens = std::move(tokens);
    index_by_id_[channel->id] = channel->index;
    for (const TokenPtr& token : change.made) tokens_[token->id] = token;
    for (const TokenPtr& token : change.gone) tokens_.erase(token->id);
  }
  if (!change.gone.empty()) token_epoch_.fetch_add(1, std::memory_order_release);
  return PutChannel{std::move(channel), !entry};
}

Result<void> MemoryCatalog::remove_channel(std::string_view id) {
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(id);
  if (!entry) return make_error_code(ChannelErrc::not_found);
  if (options_.journal)
    if (const auto stored = options_.journal->channel_removed(*entry->channel); !stored)
      return stored.error();
  Entry gone;
  {
    const std::unique_lock lock(mutex_);
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
  Entry* const entry = find(channel_id);
  if (!entry) return make_error_code(ChannelErrc::not_found);
  if (options.id.empty()) options.id = new_token_id();
  if (tokens_.contains(options.id)) return make_error_code(ChannelErrc::exists);
  auto token = std::make_shared<const Token>(
      Token{std::move(options.id), std::move(name), entry->channel, options.strict});
  if (options_.journal)
    if (const auto stored = options_.journal->token_added(*token); !stored) return stored.error();
  const std::unique_lock lock(mutex_);
  entry->tokens.push_back(token);
  tokens_[token->id] = token;
  return token;
}

Result<void> MemoryCatalog::remove_token(std::string_view channel_id, std::string_view id) {
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  if (!entry) return make_error_code(ChannelErrc::not_found);
  const auto found = std::ranges::find(entry->tokens, id, &Token::id);
  if (found == entry->tokens.end()) return make_error_code(ChannelErrc::not_found);
  if (options_.journal)
    if (const auto stored = options_.journal->token_removed(**found); !stored) return stored.error();
  {
    const std::unique_lock lock(mutex_);
    tokens_.erase((*found)->id);
    entry->tokens.erase(found);
  }
  token_epoch_.fetch_add(1, std::memory_order_release);
  return {};
}

/// Where a drain begins that is to begin at a time. None: behind what is there. It may read a disk, so no
/// lock is held; what goes meanwhile the drain will have lost.
Result<std::optional<Progress>> MemoryCatalog::begin_of(std::string_view channel_id,
                                                        const DrainChoice& choice) const {
  if (!choice.since) return std::optional<Progress>();
  const ChannelPtr channel = this->channel(channel_id);
  if (!channel) return make_error_code(ChannelErrc::not_found);
  const auto begin = channel->log->since(*choice.since);
  if (!begin) return begin.error();
  return std::optional(*begin);
}

Result<DrainEntry> MemoryCatalog::add_drain(std::string_view channel_id, std::string url,
                                            DrainChoice choice) {
  const auto begin = begin_of(channel_id, choice);
  if (!begin) return begin.error();
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  if (!entry) return make_error_code(ChannelErrc::not_found);
  if (entry->drains.size() >= drains_per_channel_.load(std::memory_order_relaxed))
    return make_error_code(ChannelErrc::too_many_drains);
  if (!url.empty() && entry->has_url(url)) return make_error_code(ChannelErrc::exists);
  const Progress start = *begin ? **begin : entry->channel->log->end();
  DrainEntry drain{next_drain_, new_drain_token(),         std::move(url), entry->channel,
                   start,       std::move(choice.options), false};
  if (options_.journal)
    if (const auto stored = options_.journal->drain_added(drain); !stored) return stored.error();
  ++next_drain_;
  {
    const std::unique_lock lock(mutex_);
    entry->drains.push_back(drain);
  }
  if (watcher_ && !drain.url.empty()) watcher_->drain_added(drain);
  return drain;
}

Result<DrainEntry> MemoryCatalog::set_drain_url(std::string_view channel_id, uint64_t id, std::string url,
                                                DrainChoice choice) {
  const auto begin = begin_of(channel_id, choice);
  if (!begin) return begin.error();
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  DrainEntry* const found = entry ? entry->drain(id) : nullptr;
  if (!found) return make_error_code(ChannelErrc::not_found);
  if (!found->url.empty()) return make_error_code(ChannelErrc::exists);
  return give_url(*entry, *found, std::move(url), std::move(choice), *begin);
}

Result<DrainEntry> MemoryCatalog::replace_drain(std::string_view channel_id, uint64_t id, std::string url,
                                                DrainChoice choice) {
  const auto begin = begin_of(channel_id, choice);
  if (!begin) return begin.error();
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  DrainEntry* const found = entry ? entry->drain(id) : nullptr;
  if (!found) return make_error_code(ChannelErrc::not_found);
  if (found->url == url && found->options == choice.options) return *found;
  return give_url(*entry, *found, std::move(url), std::move(choice), *begin);
}

/// With change_mutex_ held.
Result<DrainEntry> MemoryCatalog::give_url(Entry& entry, DrainEntry& found, std::string url,
                                           DrainChoice choice, const std::optional<Progress>& begin) {
  const bool runs = !found.url.empty();
  if (found.url != url && entry.has_url(url)) return make_error_code(ChannelErrc::exists);
  DrainEntry drain = found;
  drain.url = std::move(url);
  if (!runs) drain.start = begin ? *begin : drain.channel->log->end();
  drain.options = std::move(choice.options);
  if (options_.journal)
    if (const auto stored = options_.journal->drain_url_set(drain); !stored) return stored.error();
  {
    const std::unique_lock lock(mutex_);
    found = drain;
  }
  if (watcher_ && runs) watcher_->drain_replaced(drain);
  if (watcher_ && !runs) watcher_->drain_added(drain);
  return drain;
}

Result<DrainEntry> MemoryCatalog::set_drain_paused(std::string_view channel_id, uint64_t id, bool paused) {
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  DrainEntry* const found = entry ? entry->drain(id) : nullptr;
  if (!found) return make_error_code(ChannelErrc::not_found);
  DrainEntry drain = *found;
  if (paused != (drain.paused != 0)) {
    drain.paused = paused ? wall_now() : 0;
    if (options_.journal)
      if (const auto stored = options_.journal->drain_paused(drain); !stored) return stored.error();
    const std::unique_lock lock(mutex_);
    found->paused = drain.paused;
  }
  if (watcher_ && !drain.url.empty()) watcher_->drain_paused(drain);
  return drain;
}

Result<void> MemoryCatalog::remove_drain(std::string_view channel_id, uint64_t id) {
  const std::lock_guard change(change_mutex_);
  Entry* const entry = find(channel_id);
  DrainEntry* const found = entry ? entry->drain(id) : nullptr;
  if (!found) return make_error_code(ChannelErrc::not_found);
  const DrainEntry drain = *found;
  if (options_.journal)
    if (const auto stored = options_.journal->drain_removed(drain); !stored) return stored.error();
  {
    const std::unique_lock lock(mutex_);
    entry->drains.erase(entry->drains.begin() + (found - entry->drains.data()));
  }
  if (watcher_ && !drain.url.empty()) watcher_->drain_removed(drain);
  return {};
}

Result<void> MemoryCatalog::add_credential(Credential credential, std::string_view password) {
  credential.password_hash = password_hash(options_.password_key, password);
  const std::lock_guard change(change_mutex_);
  if (credentials_.contains(credential.id) || (!admin_.id.empty() && admin_.id == credential.id))
    return make_error_code(ChannelErrc::exists);
  if (options_.journal)
    if (const auto stored = options_.journal->credential_added(credential); !stored) return stored.error();
  const std::unique_lock lock(mutex_);
  std::string id = credential.id;
  credentials_[std::move(id)] = std::move(credential);
  return {};
}

Result<void> MemoryCatalog::remove_credential(std::string_view id) {
  const std::lock_guard change(change_mutex_);
  const auto found = credentials_.find(id);
  if (found == credentials_.end()) return make_error_code(ChannelErrc::not_found);
  if (options_.journal)
    if (const auto stored = options_.journal->credential_removed(id); !stored) return stored.error();
  const std::unique_lock lock(mutex_);
  credentials_.erase(found);
  return {};
}

}  // namespace tailrace
