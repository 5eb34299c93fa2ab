#include "channels/credential.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/ids.h"

namespace tailrace {

bool Permissions::may_read(std::string_view channel_id) const {
  return full_api || std::ranges::find(read, channel_id) != read.end();
}

std::string password_hash(std::string_view password) {
  static const std::string key = random_hex(32);
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(password.data()),
       password.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

}  // namespace tailrace
