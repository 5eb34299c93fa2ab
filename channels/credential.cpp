#include "channels/credential.h"

#include <algorithm>

#include "base/hmac.h"

namespace tailrace {

bool Permissions::may_read(std::string_view channel_id) const {
  return full_api || std::ranges::find(read, channel_id) != read.end();
}

std::string password_hash(std::string_view key, std::string_view password) {
  return hmac_sha256(key, password);
}

}  // namespace tailrace
