#include "ingest/syslog_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "ingest/syslog_connection.h"

namespace tailrace {

SyslogServer::SyslogServer(EventLoops& loops, std::vector<std::unique_ptr<Intake>>& intakes,
                           const Store& store, IngestStats& stats, Budget& held) {
  for (size_t i = 0; i < loops.size(); ++i)
    loops_.push_back(std::make_unique<SyslogLoop>(loops[i], *intakes[i], store, stats, held, handshakes_));
  // Drains, readers and the admin keep a quarter of the descriptors.
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  for (auto& here : loops_) here->most = std::max<size_t>(1, descriptors.rlim_cur / 4 * 3 / loops.size());
}

SyslogServer::~SyslogServer() = default;

void SyslogServer::serve(Loop& loop, asio::ip::tcp::socket socket, std::string token_id,
                         const ServerTls* tls) {
  SyslogLoop& here = *loops_[loop.index];
  if (here.connections.size() >= here.most) {
    if (const uint64_t n = here.too_many.due())
      log_warn("too many syslog connections; closed at once", "connections=" + std::to_string(n));
    return;
  }
  SslPtr ssl = tls ? tls->session(false) : nullptr;
  if (tls && !ssl) return handshakes_.add(Handshake::other);
  std::make_shared<SyslogConnection>(here, std::move(socket), std::move(token_id), std::move(ssl))->start();
}

void SyslogServer::stop() {
  for (auto& here : loops_)
    asio::post(here->loop.io, [&here = *here] {
      here.sweep.cancel();
      for (SyslogConnection* connection : std::vector(here.connections.begin(), here.connections.end()))
        connection->finish();
    });
}

size_t SyslogServer::open() const {
  size_t open = 0;
  for (const auto& here : loops_) open += here->open.load(std::memory_order_relaxed);
  return open;
}

}  // namespace tailrace
