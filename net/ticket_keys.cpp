#include "net/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

namespace tailrace {

TicketKey::TicketKey() {
  if (RAND_bytes(name.data(), int(name.size())) != 1 ||
      RAND_priv_bytes(cipher.data(), int(cipher.size())) != 1 ||
      RAND_priv_bytes(mac.data(), int(mac.size())) != 1)
    throw std::runtime_error("no random bytes from OpenSSL");
}

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

void TicketKeys::turn(Mono now) {
  if (current_ && now - since_ < kTurn) return;
  former_ = now - since_ < 2 * kTurn ? std::move(current_) : nullptr;
  current_ = std::make_shared<const TicketKey>();
  since_ = now;
}

TicketKeys::Key TicketKeys::to_seal(Mono now) {
  const std::scoped_lock lock(mutex_);
  turn(now);
  return current_;
}

TicketKeys::Key TicketKeys::to_open(std::span<const unsigned char, 16> name, Mono now) {
  const std::scoped_lock lock(mutex_);
  turn(now);
  for (const Key& key : {current_, former_})
    if (key && std::ranges::equal(key->name, name)) return key;
  return nullptr;
}

}  // namespace tailrace
