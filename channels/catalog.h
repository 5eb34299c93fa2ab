#pragma once
// What exists: channels, tokens, drains, credentials. The interface that memory, SQLite and JetStream's KV
// fill.
//
// Look-ups are answered from memory, by any thread, at once. Changes may wait for a disk or a cluster: they
// are called on a thread that may block, never on an event loop, and return when the change will survive what
// the implementation promises.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "channels/channel.h"
#include "channels/credential.h"
#include "channels/place.h"

namespace tailrace {

/// Lets a source write to one channel, under a name that readers see.
struct Token {
  std::string id;  // `t.<uuid>`, a secret
  std::string name;
  ChannelPtr channel;
  bool strict = false;  // its records show its name whatever their APP-NAME says
};
using TokenPtr = std::shared_ptr<const Token>;

/// What may be chosen about a token. With an `id` that somebody already has in his configuration (a `?token=`
/// of a listener, an app that moves over from Logplex); empty: one of its own.
struct TokenOptions {
  std::string id;
  bool strict = false;
};

/// A channel's subscription of an outside URL.
struct DrainEntry {
  uint64_t id = 0;    // unique in the process, never used twice
  std::string token;  // `d.<uuid>`
  std::string url;    // empty: reserved, not started
  ChannelPtr channel;
  Progress start;  // how far it had come when the process started, or where it began when it got its URL
  std::string options = {};  // JSON as drains/options.h takes it; may hold secrets; empty: none
  Micros paused = 0;         // since when by its owner; 0: it is not
};

/// What may be chosen about a drain when it gets its URL.
struct DrainChoice {
  std::string options = {};          // DrainEntry::options
  std::optional<Micros> since = {};  // begins as Log::since() says; none: behind what is there
};

/// What a channel is to be. What is not said stays; a new one has no name, no flags and no tokens.
struct ChannelWish {
  std::optional<std::string> name = {};
  std::optional<bool> no_tail = {}, no_history = {};
  /// Names: one that has no token gets one, tokens of other names go, those that are there stay as they are.
  std::optional<std::vector<std::string>> tokens = {};
};

/// Told of changes after they took effect, in order, on the thread that made them.
class CatalogWatcher {
 public:
  virtual ~CatalogWatcher() = default;
  virtual void drain_added(const DrainEntry& drain) = 0;
  virtual void drain_removed(const DrainEntry& drain) = 0;
  /// It has another URL or other options, and goes on where it was.
  virtual void drain_replaced(const DrainEntry& drain) = 0;
  /// Its owner lets it rest or go on, perhaps once more; it has a URL.
  virtual void drain_paused(const DrainEntry& drain) = 0;
  virtual void channel_removed(const ChannelPtr& channel) = 0;
};

/// Thread-safe.
class Catalog {
 public:
  virtual ~Catalog() = default;

  // ---- look-ups ----
  virtual ChannelPtr channel(std::string_view id) const = 0;  // null if unknown
  virtual std::vector<ChannelPtr> channels() const = 0;       // in order of creation
  virtual TokenPtr token(std::string_view id) const = 0;      // null if unknown
  virtual std::vector<TokenPtr> tokens(const Channel& channel) const = 0;
  virtual std::vector<DrainEntry> drains(const Channel& channel) const = 0;
  virtual std::vector<Credential> credentials() const = 0;  // by id, without the admin's and without hashes
  /// With its hash, and the admin's too; none: nobody has that id.
  virtual std::optional<Credential> credential(std::string_view id) const = 0;
  virtual std::optional<Permissions> authenticate(std::string_view user, std::string_view password) const = 0;
  /// Grows with every change that can make an earlier look-up of a token wrong; for caches of look-ups.
  virtual uint64_t token_epoch() const = 0;

  // ---- changes; errors: also those of storing them, and then nothing was changed ----
  /// Ids count from 1, as Logplex's v2 does, with holes where another id was chosen or numbers were lost.
  virtual Result<ChannelPtr> add_channel(std::string name, std::vector<std::string> tokens = {}) = 0;
  struct PutChannel {
    ChannelPtr channel;
    bool created = false;
  };
  /// Makes or changes the channel of this id, as a whole or not at all. errors: is_counted, if no channel has
  /// the id and it is a number.
  virtual Result<PutChannel> put_channel(std::string id, ChannelWish wish) = 0;
  /// With its tokens and drains.
  virtual Result<void> remove_channel(std::string_view id) = 0;
  /// errors: not_found, exists.
  virtual Result<TokenPtr> add_token(std::string_view channel_id, std::string name,
                                     TokenOptions options = {}) = 0;
  /// errors: not_found, also of a token of another channel.
  virtual Result<void> remove_token(std::string_view channel_id, std::string_view token) = 0;
  /// `url` is unique in its channel; empty reserves a token and a place. errors: not_found, exists,
  /// too_many_drains; with `since` also the disk's.
  virtual Result<DrainEntry> add_drain(std::string_view channel_id, std::string url,
                                       DrainChoice choice = {}) = 0;
  /// Gives a reserved drain its URL.
  virtual Result<DrainEntry> set_drain_url(std::string_view channel_id, uint64_t drain, std::string url,
                                           DrainChoice choice = {}) = 0;
  /// Gives any drain this URL and these options; one that had a URL goes on where it was, and `since` means
  /// nothing to it. errors: not_found, exists.
  virtual Result<DrainEntry> replace_drain(std::string_view channel_id, uint64_t drain, std::string url,
                                           DrainChoice choice = {}) = 0;
  virtual Result<DrainEntry> set_drain_paused(std::string_view channel_id, uint64_t drain, bool paused) = 0;
  virtual Result<void> remove_drain(std::string_view channel_id, uint64_t drain) = 0;
  /// Its password_hash is filled in. errors: exists, also of the admin's.
  virtual Result<void> add_credential(Credential credential, std::string_view password) = 0;
  /// errors: not_found, also of the admin's.
  virtual Result<void> remove_credential(std::string_view id) = 0;

  /// One watcher; set before the first change.
  virtual void watch(CatalogWatcher* watcher) = 0;
};

}  // namespace tailrace
