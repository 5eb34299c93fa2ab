#pragma once
// The HTTP/1.1 server: connections handed over by a Listener, requests in, one answer each.

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "base/budget.h"
#include "base/loops.h"
#include "net/http.h"
#include "net/server_tls.h"

namespace tailrace {

/// The contract's limits (section 3), the same on every listener.
struct HttpLimits {
  size_t head_bytes = 16 * 1024;  // 431 beyond
  size_t head_fields = 100;       // 431 beyond
  size_t body_bytes = 8u << 20;   // 413 beyond
  std::chrono::milliseconds head{
      10'000};  // in total, from its first byte (from the accept for the first): 408
  std::chrono::milliseconds body{30'000};   // in total: 408
  std::chrono::milliseconds idle{75'000};   // between requests; then closed without a word
  std::chrono::milliseconds write{30'000};  // no progress in sending an answer: closed
};

/// Serves the connections of one listener by one table of routes. Requests of a connection are answered in
/// order, pipelined or not; one that breaks RFC 9112 is answered 400 and closed. Thread-safe where said.
///
/// stop() closes idle connections, lets requests in flight finish, and ends streams.
class HttpServer {
 public:
  /// `routes`, `bodies` (what all bodies in flight may take together; 503 beyond) outlive the loops' run,
  /// since a connection may outlive the server; the loops outlive the server.
  HttpServer(const HttpRoutes& routes, Budget& bodies, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Takes over a connection that belongs to `loop`; call it on that loop's thread. With `tls` it begins with
  /// a handshake, within the time of the first head.
  void serve(Loop& loop, asio::ip::tcp::socket socket, const ServerTls* tls = nullptr);

  /// Any thread. Connections still open afterwards end on their own loops; open() tells how many.
  void stop();
  size_t open() const;

  /// Any thread: how handshakes ended; how many requests were answered with each status, from 100 to 599; and
  /// how many ended before they were whole, without an answer.
  const HandshakeCounts& handshakes() const;
  uint64_t answered(int status) const;
  uint64_t cut_off() const;

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace tailrace
