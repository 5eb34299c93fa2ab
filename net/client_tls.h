#pragma once
// TLS towards far ends: whom we trust, and who we are.

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/failure.h"
#include "net/tls_socket.h"

using SSL_CTX = struct ssl_ctx_st;
using SSL_SESSION = struct ssl_session_st;

namespace tailrace {

/// Texts in PEM; empty where the default holds.
struct ClientTlsTexts {
  std::string ca;  // authorities to trust instead of the system's, and also leaves and intermediates: pinned
  std::string cert;  // our own, and what leads from it to an authority
  std::string key;   // its key
  bool empty() const { return ca.empty() && cert.empty() && key.empty(); }
};

/// What is wrong with the three texts, `tls_key: does not match tls_cert`; empty: they can be used.
std::string client_tls_trouble(const std::string& ca, const std::string& cert, const std::string& key);

/// Why TLS towards a far end failed, which it did.
NetFailure tls_failure(const TlsSocket& tls);

/// What a far end gave to come back with, so that the next handshake is short. It belongs to one far end and
/// one drain, on one loop. It serves for an hour from when the far end showed its certificate, so that it has
/// to show one again.
class TlsReturn {
 public:
  /// Takes from a connection that works, or did, what there is to take.
  void keep(const TlsSocket& tls);
  void forget() { session_.reset(); }
  bool serves(Mono now) const;

 private:
  friend class ClientTls;
  std::shared_ptr<SSL_SESSION> session_;
  Mono verified_{};  // when the far end showed the certificate that the session rests on
};

/// TLS 1.2 and up; chain and host name are always verified, against SSL_CERT_FILE or the system's store
/// unless a drain names its own authorities. A handle: copies are cheap and share everything. Thread-safe.
class ClientTls {
 public:
  enum class Speaks : uint8_t { http11, syslog };

  explicit ClientTls(const std::string& ca_file = {});  // empty: the system's; throws if the file is unusable

  /// The same with a drain's own texts, which client_tls_trouble() has nothing against. Those who have the
  /// same share one context, as long as one of them lives.
  ClientTls with(const ClientTlsTexts& texts) const;

  /// Our side of one connection to `host`, a name or an address; null if OpenSSL has no memory.
  SslPtr towards(std::string host, Speaks speaks, const TlsReturn& back = {}) const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace tailrace
