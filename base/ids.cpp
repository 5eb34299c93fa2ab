#include "base/ids.h"

#include <openssl/rand.h>

#include <random>
#include <stdexcept>

namespace tailrace {

std::string random_hex(size_t bytes) {
  std::string raw(bytes, '\0'), text;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), int(bytes)) != 1)
    throw std::runtime_error("no randomness from OpenSSL");
  for (const char c : raw) {
    text += "0123456789abcdef"[uint8_t(c) >> 4];
    text += "0123456789abcdef"[uint8_t(c) & 15];
  }
  return text;
}

std::string new_uuid() {
  std::string id = random_hex(16);
  id[12] = '4';
  id[16] = "89ab"[id[16] & 3];
  for (const size_t at : {8, 13, 18, 23}) id.insert(at, 1, '-');
  return id;
}

bool is_token_id(std::string_view text) {
  if (text.size() != 38 || !text.starts_with("t.")) return false;
  for (size_t i = 2; i < text.size(); ++i) {
    const bool dash = i == 10 || i == 15 || i == 20 || i == 25;
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) return false;
  }
  return true;
}

uint64_t random_bits() {
  uint64_t bits = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1)
    throw std::runtime_error("no randomness from OpenSSL");
  return bits;
}

double random_unit() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

}  // namespace tailrace
