#pragma once
// HMAC-SHA256 (RFC 2104) of a text at hand.

#include <string>
#include <string_view>

namespace tailrace {

/// 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

}  // namespace tailrace
