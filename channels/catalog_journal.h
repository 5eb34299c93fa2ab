#pragma once
// Where the changes of a catalog are remembered.

#include <string>
#include <string_view>
#include <vector>

#include "channels/catalog.h"

namespace tailrace {

/// A channel that is made or changed: what it is to be, and which tokens come and go.
struct ChannelChange {
  const Channel& channel;  // its id and its index; the rest is not said to it yet
  bool created = false;
  std::string name;
  bool no_tail = false, no_history = false;
  std::vector<TokenPtr> made, gone;
};

/// Called by MemoryCatalog under its change lock, before it publishes the change; an error refuses the
/// change, and the caller of the catalog is given it. A thread that may block.
class CatalogJournal {
 public:
  virtual ~CatalogJournal() = default;
  /// All of it or nothing.
  virtual Result<void> channel_changed(const ChannelChange& change) = 0;
  virtual Result<void> channel_removed(const Channel& channel) = 0;
  virtual Result<void> token_added(const Token& token) = 0;
  virtual Result<void> token_removed(const Token& token) = 0;
  /// `drain.start`: what is accepted from there on is the drain's, also after a crash.
  virtual Result<void> drain_added(const DrainEntry& drain) = 0;
  /// It got a URL, options and perhaps a new start.
  virtual Result<void> drain_url_set(const DrainEntry& drain) = 0;
  virtual Result<void> drain_paused(const DrainEntry& drain) = 0;
  virtual Result<void> drain_removed(const DrainEntry& drain) = 0;
  virtual Result<void> credential_added(const Credential& credential) = 0;
  virtual Result<void> credential_removed(std::string_view id) = 0;
};

}  // namespace tailrace
