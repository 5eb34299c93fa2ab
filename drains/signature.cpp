#include "drains/signature.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr std::string_view kEncoded = "whsec_";

std::optional<std::string> key_of(std::string_view secret) {
  return secret.starts_with(kEncoded) ? from_base64(secret.substr(kEncoded.size())) : std::string(secret);
}

class Hmac {
 public:
  explicit Hmac(std::string_view key) : context_(EVP_MAC_CTX_new(algorithm()), EVP_MAC_CTX_free) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    check(context_ && EVP_MAC_init(context_.get(), bytes(key), key.size(), parameters));
  }
  Hmac& operator<<(std::string_view text) {
    check(EVP_MAC_update(context_.get(), bytes(text), text.size()));
    return *this;
  }
  std::string end() {
    std::string out(32, '\0');
    size_t size = 0;
    check(EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size, out.size()));
    return out;
  }

 private:
  static void check(bool good) {
    if (!good) throw std::runtime_error("HMAC-SHA256 is not to be had");
  }
  static const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  }
  static EVP_MAC* algorithm() {  // looked up once: that costs more than a small body
    static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    return mac;
  }

  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_;
};

}  // namespace

bool is_signing_secret(std::string_view text) {
  if (text.size() < 16 || text.size() > 256) return false;
  const std::optional<std::string> key = key_of(text);
  return key && key->size() >= 16;
}

std::string webhook_signature(std::string_view secret, std::string_view id, int64_t seconds,
                              std::string_view body) {
  Hmac hmac(key_of(secret).value_or(std::string(secret)));
  hmac << id << "." << std::to_string(seconds) << "." << body;
  return "v1," + to_base64(hmac.end());
}

}  // namespace tailrace
