#include "net/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "net/http_connection.h"

namespace tailrace {

HttpServer::HttpServer(const HttpRoutes& routes, Budget& bodies, HttpLimits limits)
    : shared_(std::make_shared<Shared>(routes, bodies, limits)) {}

HttpServer::~HttpServer() {
  stop();
}

void HttpServer::serve(Loop& loop, asio::ip::tcp::socket socket, const ServerTls* tls) {
  SslPtr ssl = tls ? tls->session(true) : nullptr;
  if (tls && !ssl) return shared_->handshakes.add(Handshake::other);
  auto connection = std::make_shared<HttpConnection>(shared_, loop, std::move(socket), std::move(ssl));
  asio::co_spawn(loop.io, HttpConnection::run(std::move(connection)), asio::detached);
}

void HttpServer::stop() {
  if (shared_->stopping.exchange(true)) return;
  const std::scoped_lock lock(shared_->mutex);
  for (auto& [loop, per_loop] : shared_->loops) {
    asio::post(loop->io, [shared = shared_, per_loop = &per_loop] {
      // A connection may end, and leave the set, while it is told.
      const std::vector<HttpConnection*> all(per_loop->connections.begin(), per_loop->connections.end());
      for (HttpConnection* connection : all)
        if (per_loop->connections.contains(connection)) connection->stop();
    });
  }
}

size_t HttpServer::open() const {
  return shared_->open.load(std::memory_order_relaxed);
}

uint64_t HttpServer::cut_off() const {
  return shared_->cut_off.load(std::memory_order_relaxed);
}

const HandshakeCounts& HttpServer::handshakes() const {
  return shared_->handshakes;
}

uint64_t HttpServer::answered(int status) const {
  return shared_->answers.at(size_t(status - 100)).load(std::memory_order_relaxed);
}

}  // namespace tailrace
