#pragma once
// The server's side of TLS: certificate, authorities of clients, tickets.

#include <memory>
#include <mutex>
#include <string>

#include "net/tls_socket.h"

using SSL_CTX = struct ssl_ctx_st;

namespace tailrace {

class TicketKeys;

/// Paths of PEM files.
struct TlsFiles {
  std::string cert, key;  // the chain, leaf first, and the leaf's key
  std::string client_ca;  // given: every client must show a certificate that these authorities signed
};

/// What the TLS listeners of the process share: TLS 1.2 and up, X25519 and ECDSA first, the server's order
/// counts, no early data, no renegotiation. Resumption is by tickets alone, so it costs no memory and works
/// on every loop; the keys outlast a new certificate, but not new client authorities, since a ticket carries
/// the client that they vouched for. Outlived by its sessions. Thread-safe.
class ServerTls {
 public:
  /// Null: `error` says in one line which variable's file is no good, and why.
  static std::unique_ptr<ServerTls> open(TlsFiles files, std::string& error);
  ~ServerTls();

  /// Reads the files again, for connections to come. False: one is no good, `error` says which and why, and
  /// everything stays as it was. Never blocks session().
  bool reload(std::string& error);

  /// Of one connection. `peer_reads`: of a sender that never reads TLS 1.3 tickets must not be sent: what
  /// lies unread when it closes makes its kernel reset the connection, and throw away what it still had to
  /// send. Null: no memory.
  SslPtr session(bool peer_reads) const;

 private:
  using Context = std::shared_ptr<SSL_CTX>;

  explicit ServerTls(TlsFiles files) : files_(std::move(files)) {}
  Context load(std::string& error) const;

  const TlsFiles files_;
  mutable std::mutex mutex_;
  Context context_;
  std::shared_ptr<TicketKeys> tickets_;
  std::string authorities_;  // digests of the client authorities that are in use
};

}  // namespace tailrace
