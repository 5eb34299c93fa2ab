#include "net/tls_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

namespace tailrace {
namespace {

constexpr int kRecordsAtOnce = 256;  // they may hold a byte each
constexpr int kReadsAtGoodbye = 4;   // 16 KiB each

// OpenSSL's own socket BIO raises SIGPIPE; this one does not.
int bio_write(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t n =
      ::send(int(reinterpret_cast<intptr_t>(BIO_get_data(bio))), bytes, size_t(count), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return int(n);
}

int bio_read(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::recv(int(reinterpret_cast<intptr_t>(BIO_get_data(bio))), into, size_t(count), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return int(n);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tailrace socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_control);
    return m;
  }();
  return method;
}

/// RFC 8446 section 6.2.
bool is_about_certificates(int alert) {
  switch (alert) {
    case SSL3_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

}  // namespace

void SslFree::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsSocket::TlsSocket(SslPtr ssl, int socket) : ssl_(std::move(ssl)), socket_(socket) {
  BIO* bio = BIO_new(socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(intptr_t(socket)));  // NOLINT(performance-no-int-to-ptr)
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

Io TlsSocket::unfinished(int error) {
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  dry_ = wants_write_ || error == SSL_ERROR_WANT_READ;
  if (dry_) return Io::again;
  // Only what OpenSSL itself holds against the peer; else it is closed or reset, as without TLS.
  if (!established_ || error == SSL_ERROR_SSL) explain(error);
  return Io::end;
}

Io TlsSocket::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    established_ = true;
    dry_ = false;
    shaken_at_ = mono_now();
    outcome_ = SSL_session_reused(ssl_.get()) ? Handshake::resumed : Handshake::full;
    return Io::ok;
  }
  return unfinished(SSL_get_error(ssl_.get(), done));
}

void TlsSocket::explain(int error) {
  const unsigned long first = ERR_peek_error();
  const int reason = ERR_GET_LIB(first) == ERR_LIB_SSL ? ERR_GET_REASON(first) : 0;
  const char* words = ERR_reason_error_string(first);
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
    error_ = "host name mismatch";
  else if (verdict != X509_V_OK)
    error_ = X509_verify_cert_error_string(verdict);
  else
    error_ = error == SSL_ERROR_SSL && words ? words : "closed by the far end";

  const int alert = reason > SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : 0;
  // TLS 1.2 has no word of its own for it.
  const bool had_none =
      alert == SSL_AD_HANDSHAKE_FAILURE && certificate_was_asked() && !SSL_get_certificate(ssl_.get());
  certificate_failed_ = had_none || verdict != X509_V_OK || reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
                        reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE || is_about_certificates(alert);
  if (established_) return;  // the handshake's outcome stays
  if (error != SSL_ERROR_SSL)
    outcome_ = Handshake::closed;
  else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    outcome_ = Handshake::no_certificate;
  else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED || verdict != X509_V_OK)
    outcome_ = Handshake::bad_certificate;
  else if (alert)
    outcome_ = Handshake::refused;
  else
    outcome_ = reason != 0 ? Handshake::protocol : Handshake::other;
}

Io TlsSocket::read_some(std::span<char> into, size_t& count) {
  count = 0;
  dry_ = false;
  for (int records = 0; records < kRecordsAtOnce && count < into.size(); ++records) {
    ERR_clear_error();
    size_t n = 0;
    const int done = SSL_read_ex(ssl_.get(), into.data() + count, into.size() - count, &n);
    if (done == 1) {
      count += n;
      continue;
    }
    const Io ended = unfinished(SSL_get_error(ssl_.get(), done));
    return count > 0 ? Io::ok : ended;
  }
  return Io::ok;
}

Io TlsSocket::write_some(std::string_view bytes, size_t& count) {
  count = 0;
  ERR_clear_error();
  const int done = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (done == 1) return Io::ok;
  const int error = SSL_get_error(ssl_.get(), done);
  write_wants_read_ = error == SSL_ERROR_WANT_READ;
  if (error == SSL_ERROR_WANT_WRITE || write_wants_read_) return Io::again;
  return unfinished(error);
}

bool TlsSocket::judged_later() const {
  return established_ && SSL_version(ssl_.get()) >= TLS1_3_VERSION && certificate_was_asked();
}

bool TlsSocket::certificate_was_asked() const {
  return SSL_get_app_data(ssl_.get()) != nullptr;
}

uint64_t TlsSocket::received() const {
  return BIO_number_read(SSL_get_rbio(ssl_.get()));
}

std::string TlsSocket::described() const {
  return std::string(SSL_get_version(ssl_.get())) + (SSL_session_reused(ssl_.get()) ? ", resumed" : "");
}

std::shared_ptr<SSL_SESSION> TlsSocket::session() const {
  if (!established_ || !error_.empty()) return nullptr;
  SSL_SESSION* const current = SSL_get0_session(ssl_.get());
  if (!current || !SSL_SESSION_is_resumable(current)) return nullptr;
  // OpenSSL spoils the session itself when the connection ends without its farewells.
  return {SSL_SESSION_dup(current), ::SSL_SESSION_free};
}

uint64_t TlsSocket::sent() const {
  return BIO_number_written(SSL_get_wbio(ssl_.get()));
}

void TlsSocket::goodbye() {
  if (established_) {
    if (!error_.empty()) return;  // OpenSSL has said it, or may say nothing more
    SSL_shutdown(ssl_.get());     // one attempt; nobody waits for it
    ERR_clear_error();
    return;
  }
  ::shutdown(socket_, SHUT_WR);
  std::array<char, 16 * 1024> unread;
  for (int i = 0; i < kReadsAtGoodbye && ::recv(socket_, unread.data(), unread.size(), 0) > 0; ++i) continue;
}

}  // namespace tailrace
