#include "net/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>

#include "base/log.h"
#include "base/text.h"

namespace tailrace {
namespace {

constexpr int kBacklog = 1024;
constexpr int kAcceptsAtOnce = 64;
constexpr std::chrono::milliseconds kPauseWithoutDescriptors{100};
// A peer that vanished without a word is given up after a minute, whether we wait for it or write to it.
constexpr int kQuietSeconds = 30, kProbeSeconds = 10, kProbes = 3, kUnacknowledgedMs = 60'000;

error_code invalid() {
  return make_error_code(boost::system::errc::invalid_argument);
}

/// Accepted connections inherit it.
error_code watch_peers(int listening) {
  const auto set = [listening](int level, int option, int value) {
    return ::setsockopt(listening, level, option, &value, sizeof value) == 0;
  };
  const bool good = set(SOL_SOCKET, SO_KEEPALIVE, 1) && set(IPPROTO_TCP, TCP_KEEPIDLE, kQuietSeconds) &&
                    set(IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds) &&
                    set(IPPROTO_TCP, TCP_KEEPCNT, kProbes) &&
                    set(IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMs);
  return good ? error_code() : error_code(errno, boost::system::system_category());
}

}  // namespace

Result<asio::ip::tcp::endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid();
  std::string_view host = text.substr(0, colon);
  const auto port = parse_u64(text.substr(colon + 1));
  if (!port || *port > 65535) return invalid();
  const auto at = [&port](asio::ip::address address) {
    return asio::ip::tcp::endpoint(address, uint16_t(*port));
  };
  if (host.empty()) return at(asio::ip::address_v4::any());
  if (iequals(host, "localhost")) return at(asio::ip::address_v4::loopback());
  error_code ec;
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto address = asio::ip::make_address_v6(std::string(host.substr(1, host.size() - 2)), ec);
    if (ec) return ec;
    return at(address);
  }
  const auto address = asio::ip::make_address_v4(std::string(host), ec);
  if (ec) return ec;
  return at(address);
}

/// Lives on the first loop from start() on; waits for readability, then accepts what there is.
struct Listener::Acceptor : std::enable_shared_from_this<Acceptor> {
  Acceptor(EventLoops& l, OnConnection on) : loops(l), on_connection(std::move(on)) {}

  error_code bind(const asio::ip::tcp::endpoint& at) {
    error_code ec;
    socket.open(at.protocol(), ec);
    if (!ec) socket.set_option(asio::ip::tcp::acceptor::reuse_address(true), ec);
    if (!ec) ec = watch_peers(socket.native_handle());
    if (!ec) socket.bind(at, ec);
    if (!ec) socket.listen(kBacklog, ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec) bound = socket.local_endpoint(ec);
    return ec;
  }

  void wait() {
    socket.async_wait(asio::ip::tcp::acceptor::wait_read, [self = shared_from_this()](const error_code& ec) {
      if (!ec && !self->stopped) self->accept_all();
    });
  }

  void accept_all() {
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      Loop& loop = loops.least_loaded();
      error_code ec;
      asio::ip::tcp::socket accepted = socket.accept(loop.io, ec);
      if (ec == asio::error::would_block || ec == asio::error::try_again) break;
      if (ec == asio::error::no_descriptors || ec == asio::error::no_buffer_space ||
          ec == asio::error::no_memory || ec == boost::system::errc::too_many_files_open_in_system)
        return pause();
      if (!ec) hand_over(loop, std::move(accepted));  // else: the peer gave up first
    }
    wait();
  }

  void hand_over(Loop& loop, asio::ip::tcp::socket accepted) {
    // Counted from here on, so that a burst spreads although its connections have not begun.
    asio::post(loop.io, [self = shared_from_this(), &loop, accepted = std::move(accepted),
                         counted = std::make_unique<Connected>(loop)]() mutable {
      if (!self->stopped) self->on_connection(loop, std::move(accepted));
    });
  }

  void pause() {
    if (const uint64_t times = once.due())
      log_warn("no descriptor for a connection", "times=" + std::to_string(times));
    timer.expires_after(kPauseWithoutDescriptors);
    timer.async_wait([self = shared_from_this()](const error_code& ec) {
      if (!ec && !self->stopped) self->accept_all();
    });
  }

  EventLoops& loops;
  const OnConnection on_connection;
  asio::ip::tcp::acceptor socket{loops[0].io};
  asio::steady_timer timer{loops[0].io};
  asio::ip::tcp::endpoint bound;
  std::atomic<bool> stopped{false};
  OncePerSecond once;
};

Listener::Listener(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
Listener::~Listener() {
  stop();
}

Result<std::unique_ptr<Listener>> Listener::open(EventLoops& loops, asio::ip::tcp::endpoint at,
                                                 OnConnection on_connection) {
  auto acceptor = std::make_shared<Acceptor>(loops, std::move(on_connection));
  if (const error_code ec = acceptor->bind(at)) return ec;
  return std::unique_ptr<Listener>(new Listener(std::move(acceptor)));
}

asio::ip::tcp::endpoint Listener::endpoint() const {
  return acceptor_->bound;
}

void Listener::start() {
  asio::post(acceptor_->loops[0].io, [acceptor = acceptor_] {
    if (!acceptor->stopped) acceptor->wait();
  });
}

void Listener::stop() {
  if (acceptor_->stopped.exchange(true)) return;
  asio::post(acceptor_->loops[0].io, [acceptor = acceptor_] {
    error_code ignored;
    acceptor->timer.cancel();
    acceptor->socket.close(ignored);
  });
}

}  // namespace tailrace
