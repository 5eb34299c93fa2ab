#include "net/client_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "base/address_policy.h"

namespace tailrace {
namespace {

constexpr size_t kMostText = 256 * 1024;
constexpr auto kLookAgain = std::chrono::hours(1);  // at a certificate

using Context = std::shared_ptr<SSL_CTX>;
using X509Ptr = std::unique_ptr<X509, decltype(&::X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&::BIO_free)>;

/// Nobody is asked for a passphrase on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

BioPtr reading(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), int(text.size())), ::BIO_free};
}

/// Words for why the last call failed.
std::string reason() {
  const char* const words = ERR_reason_error_string(ERR_peek_error());
  std::string text = words ? words : "not usable";
  ERR_clear_error();
  return text;
}

/// Those of a PEM text; empty if there is none, or one that is none.
std::vector<X509Ptr> certificates(const std::string& text) {
  std::vector<X509Ptr> all;
  const BioPtr in = reading(text);
  ERR_clear_error();
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr))
    all.emplace_back(one, ::X509_free);
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) all.clear();
  return all;
}

Context plain_context() {
  Context context(SSL_CTX_new(TLS_client_method()), ::SSL_CTX_free);
  SSL_CTX* const c = context.get();
  if (!c || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1)
    throw std::runtime_error("no TLS from OpenSSL: " + reason());
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(
      c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // each drain keeps its own, as TlsReturn
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

/// What is wrong, or nothing.
std::string trust(SSL_CTX* context, const std::string& ca) {
  const std::vector<X509Ptr> trusted = certificates(ca);
  if (trusted.empty()) return "tls_ca: no certificate in PEM";
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& one : trusted)
    if (X509_STORE_add_cert(store, one.get()) != 1) return "tls_ca: " + reason();
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

std::string become(SSL_CTX* context, const std::string& cert, const std::string& key) {
  if (cert.empty()) return "tls_cert: missing, and there is a tls_key";
  if (key.empty()) return "tls_key: missing, and there is a tls_cert";
  const std::vector<X509Ptr> chain = certificates(cert);
  if (chain.empty()) return "tls_cert: no certificate in PEM";
  const BioPtr in = reading(key);
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> ours(
      PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr), ::EVP_PKEY_free);
  ERR_clear_error();
  if (!ours) return "tls_key: no private key in PEM, or one with a passphrase";
  if (X509_check_private_key(chain[0].get(), ours.get()) != 1) {
    ERR_clear_error();
    return "tls_key: does not match tls_cert";
  }
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1) return "tls_cert: " + reason();
  for (size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) return "tls_cert: " + reason();
  if (SSL_CTX_use_PrivateKey(context, ours.get()) != 1) return "tls_key: " + reason();
  return {};
}

std::string too_long(const ClientTlsTexts& texts) {
  if (texts.ca.size() > kMostText) return "tls_ca: longer than 256K";
  if (texts.cert.size() > kMostText) return "tls_cert: longer than 256K";
  if (texts.key.size() > kMostText) return "tls_key: longer than 256K";
  return {};
}

std::string put_texts(SSL_CTX* context, const ClientTlsTexts& texts) {
  std::string trouble = too_long(texts);
  if (trouble.empty() && !texts.ca.empty()) trouble = trust(context, texts.ca);
  if (trouble.empty() && (!texts.cert.empty() || !texts.key.empty()))
    trouble = become(context, texts.cert, texts.key);
  return trouble;
}

std::string digest(const ClientTlsTexts& texts) {
  std::string all;
  for (const std::string* text : {&texts.ca, &texts.cert, &texts.key}) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text->data()), text->size(), hash);
    all.append(reinterpret_cast<const char*>(hash), sizeof hash);
  }
  return all;
}

}  // namespace

std::string client_tls_trouble(const std::string& ca, const std::string& cert, const std::string& key) {
  if (ca.empty() && cert.empty() && key.empty()) return {};
  return put_texts(plain_context().get(), ClientTlsTexts{ca, cert, key});
}

// ---- contexts --------------------------------------------------------------------------------------------

struct ClientTls::Shared {
  Context standard;
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<SSL_CTX>> others;  // by digest(); guarded by mutex
};

ClientTls::ClientTls(const std::string& ca_file)
    : shared_(std::make_shared<Shared>()), context_(plain_context()) {
  shared_->standard = context_;
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context_.get()) == 1
                                      : SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) == 1;
  ERR_clear_error();
  if (!loaded)
    throw std::runtime_error(ca_file.empty() ? "no TLS authorities from the system"
                                             : "SSL_CERT_FILE=" + ca_file + ": no usable certificates in it");
}

ClientTls ClientTls::with(const ClientTlsTexts& texts) const {
  ClientTls other = *this;
  other.context_ = shared_->standard;
  if (texts.empty()) return other;
  const std::string key = digest(texts);
  const std::lock_guard lock(shared_->mutex);
  auto& others = shared_->others;
  if (const auto found = others.find(key); found != others.end())
    if (Context context = found->second.lock()) {
      other.context_ = std::move(context);
      return other;
    }
  other.context_ = plain_context();
  // The system's authorities are a megabyte; whoever trusts them shares them.
  if (texts.ca.empty())
    SSL_CTX_set1_cert_store(other.context_.get(), SSL_CTX_get_cert_store(shared_->standard.get()));
  const std::string trouble = put_texts(other.context_.get(), texts);
  if (!trouble.empty()) throw std::invalid_argument(trouble);
  std::erase_if(others, [](const auto& item) { return item.second.expired(); });
  others[key] = other.context_;
  return other;
}

SslPtr ClientTls::towards(std::string host, Speaks speaks, const TlsReturn& back) const {
  if (host.ends_with('.')) host.pop_back();
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(wanted,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  bool set = true;
  if (const auto literal = literal_address(host)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(wanted, literal->to_string().c_str()) == 1;
  } else {
    set = X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1 &&
          SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  }
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  if (speaks == Speaks::http11) set = set && SSL_set_alpn_protos(ssl.get(), kHttp11, sizeof kHttp11 - 1) == 0;
  // Noted for TlsSocket::judged_later().
  SSL_set_cert_cb(ssl.get(), [](SSL* asked, void*) { return SSL_set_app_data(asked, asked); }, nullptr);
  if (back.serves(mono_now())) SSL_set_session(ssl.get(), back.session_.get());
  return set ? std::move(ssl) : nullptr;
}

NetFailure tls_failure(const TlsSocket& tls) {
  return {tls.certificate_failed() ? NetErrc::certificate : NetErrc::handshake, "tls: " + tls.error()};
}

void TlsReturn::keep(const TlsSocket& tls) {
  auto session = tls.session();
  if (!session) return;
  if (tls.outcome() == Handshake::full) verified_ = tls.shaken_at();
  session_ = std::move(session);
}

bool TlsReturn::serves(Mono now) const {
  return session_ && now < verified_ + kLookAgain;
}

}  // namespace tailrace
