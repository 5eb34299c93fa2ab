#pragma once
// Signatures of requests, as the Standard Webhooks specification has them (docs/drains.md, "Signatures").

#include <cstdint>
#include <string>
#include <string_view>

namespace tailrace {

/// 16 to 256 bytes; what begins `whsec_` goes on in base64 of at least 16 bytes.
bool is_signing_secret(std::string_view text);

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `ID.SECONDS.BODY`. The key is
/// the secret's bytes, of `whsec_…` what its base64 says. `body` as it is sent, compressed or not; about 1 ms
/// for each MiB of it. Throws if OpenSSL lacks the algorithm.
std::string webhook_signature(std::string_view secret, std::string_view id, int64_t seconds,
                              std::string_view body);

}  // namespace tailrace
