#pragma once
// TLS over a connected socket, either side of it, without waiting for anything.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/io.h"

using SSL = struct ssl_st;
using SSL_SESSION = struct ssl_session_st;

namespace tailrace {

struct SslFree {
  void operator()(SSL* ssl) const;
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

/// How a handshake ended, as the server sees it.
enum class Handshake : uint8_t {
  full,
  resumed,
  deadline,
  closed,           // by the peer, in the middle
  refused,          // the peer said why in an alert: it does not know our authority, say
  no_certificate,   // the peer has none, and had to
  bad_certificate,  // the peer's is not good
  protocol,         // no TLS, none that we speak, or broken
  other,
};
inline constexpr std::array<std::string_view, 9> kHandshakes{
    "full",           "resumed",         "deadline", "closed", "refused",
    "no_certificate", "bad_certificate", "protocol", "other"};

/// Thread-safe.
class HandshakeCounts {
 public:
  void add(Handshake how) { counts_[size_t(how)].fetch_add(1, std::memory_order_relaxed); }
  uint64_t of(Handshake how) const { return counts_[size_t(how)].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kHandshakes.size()> counts_{};
};

/// One connection's TLS, over a non-blocking socket that its owner waits on and closes. Belongs to one loop.
class TlsSocket {
 public:
  TlsSocket() = default;  // no TLS
  TlsSocket(SslPtr ssl, int socket);
  explicit operator bool() const { return ssl_ != nullptr; }

  /// As far as it goes: `again` waits for bytes, or as wants_write() says.
  Io handshake();
  bool established() const { return established_; }
  /// Once it ended: how. Empty unless it, or a later read or write, failed: why, in OpenSSL's own words;
  /// never the far end's bytes.
  Handshake outcome() const { return outcome_; }
  Mono shaken_at() const { return shaken_at_; }
  const std::string& error() const { return error_; }
  /// What failed is a certificate: the peer's is not good, or it says so of ours.
  bool certificate_failed() const { return certificate_failed_; }

  /// Fills `into` with what has arrived, of as many records as fit.
  Io read_some(std::span<char> into, size_t& count);
  /// One record. After `again`, the same bytes must come again, or more behind them.
  Io write_some(std::string_view bytes, size_t& count);

  /// The last read found no more: waiting for the socket makes sense. Otherwise there may be bytes that no
  /// wait would tell of.
  bool dry() const { return dry_; }
  /// What `again` was told for goes on when there is room to write, not when bytes come.
  bool wants_write() const { return wants_write_; }
  /// The last write's `again` goes on when bytes come.
  bool write_wants_read() const { return write_wants_read_; }

  /// Of a client: its handshake is over, but the server still has to judge the certificate it asked for (TLS
  /// 1.3). The next thing it says, if anything, tells.
  bool judged_later() const;
  /// Bytes read from the socket since the beginning.
  uint64_t received() const;

  /// What was agreed on, for people: `TLSv1.3`, `TLSv1.3, resumed`.
  std::string described() const;
  /// What the connection can be resumed with, a copy; null: nothing.
  std::shared_ptr<SSL_SESSION> session() const;
  /// Bytes written to the socket since the beginning, the handshake's included.
  uint64_t sent() const;

  /// Before the socket is closed: says that nothing was cut off; or, after a failed handshake, takes what
  /// lies there unread, since closing over it would reset the connection and take the alert with it.
  void goodbye();

 private:
  Io unfinished(int error);
  void explain(int error);
  bool certificate_was_asked() const;  // as ClientTls notes it

  SslPtr ssl_;
  int socket_ = -1;
  std::string error_;
  Handshake outcome_ = Handshake::other;
  Mono shaken_at_{};
  bool established_ = false, certificate_failed_ = false, dry_ = false, wants_write_ = false,
       write_wants_read_ = false;
};

}  // namespace tailrace
