#pragma once
// One connection of the HTTP server: its requests, one after the other.

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "net/http_parser.h"
#include "net/http_server.h"
#include "net/stream.h"

namespace tailrace {

class HttpConnection;

/// What a server's connections share. The set of a loop's connections is touched by that loop alone; the
/// mutex guards which loops there are, and is taken once per connection.
struct HttpServer::Shared {
  struct PerLoop {
    std::unordered_set<HttpConnection*> connections;
  };

  Shared(const HttpRoutes& r, Budget& b, HttpLimits l) : routes(r), bodies(b), limits(l) {}
  PerLoop& of(Loop& loop) {
    const std::scoped_lock lock(mutex);
    return loops[&loop];
  }

  const HttpRoutes& routes;
  Budget& bodies;
  const HttpLimits limits;
  std::atomic<size_t> open{0};
  std::atomic<bool> stopping{false};
  HandshakeCounts handshakes;
  std::atomic<uint64_t> cut_off{0};
  std::array<std::atomic<uint64_t>, 500> answers{};  // by status, from 100 on
  std::mutex mutex;
  std::unordered_map<Loop*, PerLoop> loops;
};

/// Received bytes that nothing has taken yet. Empty and without memory while a connection idles.
class HeldBytes {
 public:
  std::string_view view() const { return std::string_view(bytes_).substr(at_); }
  bool empty() const { return at_ == bytes_.size(); }
  void append(std::string_view bytes);
  void take(size_t count);
  void release();

 private:
  std::string bytes_;
  size_t at_ = 0;
};

/// Lives on one loop, owned by its coroutine run(); ends with the connection.
///
/// After its handshake, if it is TLS, a connection is idle (waits for readability, holding no buffer), reads
/// a head, reads a body, is with a handler, or lingers (has said its last word and reads on for a moment, so
/// that a reset does not destroy the answer). Bytes are read into a scratch that all connections of a thread
/// share; only what a request leaves over is held.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  /// `tls`: null for plain HTTP.
  HttpConnection(std::shared_ptr<HttpServer::Shared> shared, Loop& loop, asio::ip::tcp::socket socket,
                 SslPtr tls);
  ~HttpConnection();

  static asio::awaitable<void> run(std::shared_ptr<HttpConnection> self);
  /// The server stops: idle connections close, a stream's handler is told, the rest ends after its answer.
  void stop();

 private:
  class Exchange;

  asio::awaitable<bool> shake_hands();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> read_head(HttpRequestParser& parser, Exchange& exchange);
  asio::awaitable<bool> read_body(HttpRequestParser& parser, Exchange& exchange);
  asio::awaitable<bool> judge(HttpRequestParser& parser, Exchange& exchange, const HttpRoutes::Route*& route);
  asio::awaitable<void> handle(Exchange& exchange, const HttpRoutes::Route& route);
  asio::awaitable<void> refuse(HttpRequestParser& parser, Exchange& exchange, HttpFault fault);
  asio::awaitable<Io> fill();
  asio::awaitable<void> linger();

  const std::shared_ptr<HttpServer::Shared> shared_;
  const HttpLimits& limits_;
  const Connected connected_;
  const std::shared_ptr<Stream> stream_;
  HeldBytes held_;
  Exchange* exchange_ = nullptr;  // while a handler runs
  uint64_t handled_ = 0;          // which one that is
  bool idle_ = true, first_ = true, lingering_ = false;
};

}  // namespace tailrace
