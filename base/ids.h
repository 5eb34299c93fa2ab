#pragma once
// Random identifiers, from OpenSSL's generator: who guesses one may write, read or attach a drain.

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

/// RFC 4122 version 4, lower case, 36 characters.
std::string new_uuid();

/// `t.<uuid>`, what a source writes with; `d.<uuid>`, the name of a drain.
inline std::string new_token_id() {
  return "t." + new_uuid();
}
inline std::string new_drain_token() {
  return "d." + new_uuid();
}

/// `t.<uuid>` in lower case, whatever its version.
bool is_token_id(std::string_view text);

/// 64 random bits.
uint64_t random_bits();

/// `bytes` random bytes as lower-case hex.
std::string random_hex(size_t bytes);

/// Uniform in [0, 1); for jitter, not for secrets.
double random_unit();

}  // namespace tailrace
