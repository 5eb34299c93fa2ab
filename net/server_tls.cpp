#include "net/server_tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <cstring>
#include <string_view>

#include "net/ticket_keys.h"

namespace tailrace {
namespace {

// ECDSA and AES-128 first; forward secrecy and authenticated encryption only.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr unsigned char kSessionContext[] = "tailrace";

/// A context owns a share of the keys that seal its tickets.
int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* keys, auto...) { delete static_cast<std::shared_ptr<TicketKeys>*>(keys); });
  return index;
}

int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int seal) noexcept {
  static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  TicketKeys& keys =
      **static_cast<std::shared_ptr<TicketKeys>*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
  const Mono now = mono_now();
  const TicketKeys::Key key =
      seal ? keys.to_seal(now) : keys.to_open(std::span<const unsigned char, 16>(name, 16), now);
  if (!key) return 0;  // a full handshake
  std::array<unsigned char, 32> mac_key = key->mac;
  char digest[] = "SHA256";
  const OSSL_PARAM how[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  bool good = EVP_MAC_CTX_set_params(mac, how) == 1;
  OPENSSL_cleanse(mac_key.data(), mac_key.size());
  if (seal) {
    std::memcpy(name, key->name.data(), key->name.size());
    good = good && RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 &&
           EVP_EncryptInit_ex2(cipher, aes, key->cipher.data(), iv, nullptr) == 1;
    return good ? 1 : -1;
  }
  good = good && EVP_DecryptInit_ex2(cipher, aes, key->cipher.data(), iv, nullptr) == 1;
  if (!good) return -1;
  // 2: good, and another is sent; each ticket of TLS 1.3 is for one use (RFC 8446 C.4).
  return SSL_version(ssl) >= TLS1_3_VERSION || key != keys.to_seal(now) ? 2 : 1;
}

int choose_http11(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                  unsigned offered_length, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* at = nullptr;
  if (SSL_select_next_proto(&at, length, kOurs, sizeof kOurs - 1, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *chosen = at;
  return SSL_TLSEXT_ERR_OK;
}

/// The root of what OpenSSL complains about.
std::string reason() {
  const unsigned long first = ERR_peek_error();
  const char* words =
      ERR_SYSTEM_ERROR(first) ? std::strerror(ERR_GET_REASON(first)) : ERR_reason_error_string(first);
  std::string text = words ? words : "not usable";
  ERR_clear_error();
  return text;
}

std::string digests(SSL_CTX* context) {
  std::string all;
  STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509* authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (authority && X509_digest(authority, EVP_sha256(), digest, &length) == 1)
      all.append(reinterpret_cast<const char*>(digest), length);
  }
  return all;
}

}  // namespace

ServerTls::~ServerTls() = default;

ServerTls::Context ServerTls::load(std::string& error) const {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()), ::SSL_CTX_free);
  SSL_CTX* const c = context.get();
  const auto failed = [&](const char* variable, const std::string& path) {
    error = std::string(variable) + "=" + path + ": " + reason();
    return nullptr;
  };
  if (!c || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(c, kCiphers12) != 1 || SSL_CTX_set_ciphersuites(c, kCiphers13) != 1 ||
      SSL_CTX_set1_groups_list(c, kGroups) != 1 ||
      SSL_CTX_set_session_id_context(c, kSessionContext, sizeof kSessionContext - 1) != 1 ||
      SSL_CTX_set_max_early_data(c, 0) != 1 || SSL_CTX_set_num_tickets(c, 1) != 1 ||
      SSL_CTX_set_tlsext_ticket_key_evp_cb(c, use_ticket_key) != 1) {
    error = "no TLS from OpenSSL: " + reason();
    return nullptr;
  }
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(
      c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(c, 1);  // many small records, as senders of syslog write them, in one read
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(c, std::chrono::seconds(TicketKeys::kTurn).count());
  SSL_CTX_set_alpn_select_cb(c, choose_http11, nullptr);
  // An encrypted key must not ask for its passphrase on a terminal.
  SSL_CTX_set_default_passwd_cb(c, [](char*, int, int, void*) { return -1; });

  if (SSL_CTX_use_certificate_chain_file(c, files_.cert.c_str()) != 1)
    return failed("TAILRACE_TLS_CERT", files_.cert);
  if (SSL_CTX_use_PrivateKey_file(c, files_.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(c) != 1)
    return failed("TAILRACE_TLS_KEY", files_.key);
  if (files_.client_ca.empty()) return context;
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(files_.client_ca.c_str());
  if (!names || SSL_CTX_load_verify_file(c, files_.client_ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return failed("TAILRACE_TLS_CLIENT_CA", files_.client_ca);
  }
  SSL_CTX_set_client_CA_list(c, names);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

std::unique_ptr<ServerTls> ServerTls::open(TlsFiles files, std::string& error) {
  std::unique_ptr<ServerTls> tls(new ServerTls(std::move(files)));
  return tls->reload(error) ? std::move(tls) : nullptr;
}

bool ServerTls::reload(std::string& error) {
  Context context = load(error);
  if (!context) return false;
  std::string authorities = digests(context.get());
  const std::scoped_lock lock(mutex_);
  if (!tickets_ || authorities != authorities_) tickets_ = std::make_shared<TicketKeys>();
  SSL_CTX_set_ex_data(context.get(), keys_index(), new std::shared_ptr<TicketKeys>(tickets_));
  authorities_ = std::move(authorities);
  context_ = std::move(context);
  return true;
}

SslPtr ServerTls::session(bool peer_reads) const {
  Context context;
  {
    const std::scoped_lock lock(mutex_);
    context = context_;
  }
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl) return ssl;
  SSL_set_accept_state(ssl.get());
  if (!peer_reads) SSL_set_num_tickets(ssl.get(), 0);
  return ssl;
}

}  // namespace tailrace
