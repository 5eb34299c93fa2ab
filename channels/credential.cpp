#include "channels/credential.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace tailrace {

bool Permissions::may_read(std::string_view channel_id) const {
  return full_api || std::ranges::find(read, channel_id) != read.end();
}

std::string password_hash(std::string_view key, std::string_view password) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(password.data()),
       password.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

}  // namespace tailrace
