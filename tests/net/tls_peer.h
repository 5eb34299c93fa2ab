#pragma once
// A TLS client of OpenSSL's own making, blocking, on a test's socket; and files for a server.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/net/certificates.h"
#include "tests/net/testing.h"

namespace tailrace::testing {

inline std::string pem(const Certificate& certificate) {
  const std::unique_ptr<BIO, decltype(&::BIO_free_all)> out(BIO_new(BIO_s_mem()), ::BIO_free_all);
  PEM_write_bio_X509(out.get(), certificate.x509.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, size_t(size)};
}

inline std::string pem_key(const Certificate& certificate, const char* passphrase = nullptr) {
  const std::unique_ptr<BIO, decltype(&::BIO_free_all)> out(BIO_new(BIO_s_mem()), ::BIO_free_all);
  PEM_write_bio_PrivateKey(out.get(), certificate.key.get(), passphrase ? EVP_aes_128_cbc() : nullptr,
                           reinterpret_cast<const unsigned char*>(passphrase),
                           passphrase ? int(std::string_view(passphrase).size()) : 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, size_t(size)};
}

/// The three files of a server, in a folder that goes with the object.
class TlsFolder {
 public:
  TlsFolder() {
    char path[] = "/tmp/tailrace-test-XXXXXX";
    folder_ = ::mkdtemp(path);
  }
  explicit TlsFolder(const Certificate& certificate) : TlsFolder() { put(certificate); }
  TlsFolder(const TlsFolder&) = delete;
  ~TlsFolder() { std::filesystem::remove_all(folder_); }

  void put(const Certificate& certificate) {
    write("cert.pem", pem(certificate));
    write("key.pem", pem_key(certificate));
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary | std::ios::trunc) << text;
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  TlsFiles files(bool mutual = false) const {
    return {path("cert.pem"), path("key.pem"), mutual ? path("ca.pem") : ""};
  }

 private:
  std::string folder_;
};

using Session = std::shared_ptr<SSL_SESSION>;

/// What a client offers, and what it keeps.
struct TlsOffer {
  int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
  const Certificate* certificate = nullptr;  // the client's own
  const Certificate* authority = nullptr;    // that the server's must be signed by; null: any
  const char* groups = nullptr;
  const char* ciphers = nullptr;  // of TLS 1.2
  Session resume = nullptr;
};

class TlsPeer {
 public:
  TlsPeer(uint16_t port, const TlsOffer& offer = {}) : peer_(port) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    context_.reset(SSL_CTX_new(TLS_client_method()), ::SSL_CTX_free);
    SSL_CTX* const c = context_.get();
    SSL_CTX_set_security_level(c, 0);  // so that what is too old can be offered
    SSL_CTX_set_min_proto_version(c, offer.least);
    SSL_CTX_set_max_proto_version(c, offer.most);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, [](SSL* ssl, SSL_SESSION* session) {
      static_cast<TlsPeer*>(SSL_get_app_data(ssl))->session_.reset(session, ::SSL_SESSION_free);
      return 1;
    });
    if (offer.certificate) {
      SSL_CTX_use_certificate(c, offer.certificate->x509.get());
      SSL_CTX_use_PrivateKey(c, offer.certificate->key.get());
    }
    if (offer.authority) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(c), offer.authority->x509.get());
      SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    }
    if (offer.groups) SSL_CTX_set1_groups_list(c, offer.groups);
    if (offer.ciphers) SSL_CTX_set_cipher_list(c, offer.ciphers);
    ssl_.reset(SSL_new(c), ::SSL_free);
    SSL_set_app_data(ssl_.get(), this);
    if (offer.resume) SSL_set_session(ssl_.get(), offer.resume.get());
    SSL_set_fd(ssl_.get(), peer_.fd());
    shaken_ = SSL_connect(ssl_.get()) == 1;
    note_error();
  }
  TlsPeer(const TlsPeer&) = delete;
  /// As if it had shut down in order; else OpenSSL would not resume its sessions.
  ~TlsPeer() { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

  /// The client's side of the handshake is done; in TLS 1.3 the server may still refuse it.
  bool shaken() const { return shaken_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  const std::string& error() const { return error_; }
  SSL* ssl() const { return ssl_.get(); }
  Peer& peer() { return peer_; }
  std::string subject() const {
    const std::unique_ptr<X509, decltype(&::X509_free)> theirs(SSL_get1_peer_certificate(ssl_.get()),
                                                               ::X509_free);
    char name[200] = "";
    if (theirs)
      X509_NAME_get_text_by_NID(X509_get_subject_name(theirs.get()), NID_commonName, name, sizeof name);
    return name;
  }

  bool send(std::string_view bytes) {
    const int n = SSL_write(ssl_.get(), bytes.data(), int(bytes.size()));
    note_error();
    return n == int(bytes.size());
  }
  /// Up to and with `mark`, or what there was until the end.
  std::string until(std::string_view mark) {
    std::string got;
    char byte;
    while (!got.ends_with(mark) && SSL_read(ssl_.get(), &byte, 1) == 1) got += byte;
    note_error();
    return got;
  }
  /// `hello`, or what went wrong.
  std::string get(const std::string& path = "/hello") {
    if (!shaken_ || !send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")) return error_;
    const std::string head = until("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 200 ")) return error_.empty() ? head : error_;
    return until("hello");
  }
  /// What the server gave to come back with; TLS 1.3 gives it with the first answer.
  const Session& session() const { return session_; }

 private:
  void note_error() {
    if (const unsigned long first = ERR_peek_error()) error_ = ERR_reason_error_string(first);
    ERR_clear_error();
  }

  Peer peer_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  Session session_;
  std::string error_;
  bool shaken_ = false;
};

}  // namespace tailrace::testing
