#pragma once
// Who may ask for what.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace {

/// What a credential may do. `full_api`: everything on the admin listener. `any_channel`: write to any
/// channel, each record routed by its token. `read:CHANNEL`: read that one.
struct Permissions {
  bool full_api = false, any_channel = false;
  std::vector<std::string> read;  // channel ids

  bool may_read(std::string_view channel_id) const;
};

struct Credential {
  std::string id;    // the user name
  std::string name;  // for people
  Permissions permissions;
  std::string password_hash;  // under the catalog's key; 32 bytes
};

/// The password's fast keyed hash, HMAC-SHA256: it keeps passwords out of memory dumps and data dirs, and a
/// guess costs the guesser a request.
std::string password_hash(std::string_view key, std::string_view password);

}  // namespace tailrace
