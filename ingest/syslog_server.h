#pragma once
// Syslog over TCP and TLS (RFC 5425).

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/loops.h"
#include "ingest/intake.h"
#include "net/server_tls.h"

namespace tailrace {

struct SyslogLoop;

/// Serves the connections of syslog listeners: reads into one buffer per loop, so that an idle connection
/// holds none, and takes whole frames from it. Never answers; a sender of syslog listens to nothing (RFC
/// 6587).
class SyslogServer {
 public:
  /// `intakes` has one per loop; `held` bounds the bytes of frames that are not whole yet, beyond a small
  /// size, of all connections together. While `store` has no room nothing is read. All outlive the server.
  SyslogServer(EventLoops& loops, std::vector<std::unique_ptr<Intake>>& intakes, const Store& store,
               IngestStats& stats, Budget& held);
  ~SyslogServer();

  /// Takes over a connection; call it on its loop. With a token's id, which came with the listener, every
  /// record is that token's; while no such token exists they are rejected. With `tls` it begins with a
  /// handshake.
  void serve(Loop& loop, asio::ip::tcp::socket socket, std::string token_id, const ServerTls* tls = nullptr);

  /// Any thread: connections take what has arrived and close, each on its own loop.
  void stop();
  size_t open() const;
  /// Any thread: how handshakes ended.
  const HandshakeCounts& handshakes() const { return handshakes_; }

 private:
  HandshakeCounts handshakes_;
  std::vector<std::unique_ptr<SyslogLoop>> loops_;
};

}  // namespace tailrace
