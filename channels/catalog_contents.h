#pragma once
// A catalog as plain values: what a data dir remembered of it, for the next start.

#include <cstdint>
#include <string>
#include <vector>

#include "channels/credential.h"
#include "channels/place.h"

namespace tailrace {

/// Each list in order of creation. Tokens and drains name their channel by its index.
struct CatalogContents {
  struct StoredChannel {
    std::string id, name;
    uint32_t index = 0;
    bool no_tail = false, no_history = false;
    bool operator==(const StoredChannel&) const = default;
  };
  struct StoredToken {
    std::string id, name;
    uint32_t channel = 0;
    bool strict = false;
    bool operator==(const StoredToken&) const = default;
  };
  struct StoredDrain {
    uint64_t id = 0;
    std::string token, url;
    uint32_t channel = 0;
    Progress start;  // as DrainEntry::start: where it began, or, if that was stored, how far it has come
    std::string options = {};
    Micros paused = 0;
  };

  std::vector<StoredChannel> channels;
  std::vector<StoredToken> tokens;
  std::vector<StoredDrain> drains;
  std::vector<Credential> credentials;
  uint32_t next_index = 0;  // of the next channel: above all that were ever given
  uint64_t next_drain = 1;
  /// Also for new channels: what occurs in the log lies below it, whether or not the catalog knows it.
  uint32_t first_free_index = 0;
};

}  // namespace tailrace
