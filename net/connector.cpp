#include "net/connector.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "net/resolver.h"

namespace tailrace {
namespace {

using Milliseconds = std::chrono::milliseconds;
using asio::ip::tcp;
using boost::system::error_code;

Milliseconds left_until(Mono end) {
  return std::chrono::duration_cast<Milliseconds>(end - mono_now());
}

std::string shown(const tcp::endpoint& at) {
  const std::string host = at.address().to_string();
  return (at.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(at.port());
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = char(text[0] + 32);
  return text;
}

/// One attempt at one address, and what ends it early: its timer or a cancel. Both may fire late, so they
/// share it.
struct Attempt {
  explicit Attempt(Loop& loop) : socket(loop.io), timer(loop.io) {}
  void end() {
    error_code ignored;
    socket.cancel(ignored);
  }
  tcp::socket socket;
  asio::steady_timer timer;
  bool late = false;
};

NetFailure not_allowed() {
  return {NetErrc::address_not_allowed, "address not allowed"};
}
NetFailure stopped() {
  return {NetErrc::stopped, "stopped"};
}

asio::awaitable<NetResult<tcp::socket>> attempt_one(Loop& loop, tcp::endpoint to, Milliseconds limit,
                                                    std::shared_ptr<ConnectCancel> cancel) {
  const auto attempt = std::make_shared<Attempt>(loop);
  error_code ec;
  attempt->socket.open(to.protocol(), ec);
  if (!ec) attempt->socket.non_blocking(true, ec);
  if (!ec) attempt->socket.set_option(tcp::no_delay(true), ec);
  if (!ec) {
    attempt->timer.expires_after(std::max(limit, Milliseconds(0)));
    attempt->timer.async_wait([attempt](const error_code& waited) {
      if (waited) return;
      attempt->late = true;
      attempt->end();
    });
    cancel->on_cancel([attempt] { attempt->end(); });
    const auto [connected] = co_await attempt->socket.async_connect(to, asio::as_tuple(asio::use_awaitable));
    ec = connected;
    attempt->timer.cancel();
    cancel->on_cancel(nullptr);
  }
  if (cancel->cancelled()) co_return stopped();
  if (attempt->late || ec == asio::error::timed_out)
    co_return NetFailure(NetErrc::connect, "connect: timed out (" + shown(to) + ")");
  if (ec)
    co_return NetFailure(NetErrc::connect, "connect: " + lower_first(ec.message()) + " (" + shown(to) + ")");
  co_return std::move(attempt->socket);
}

}  // namespace

struct Connector::Impl {
  const Options options;
};

Connector::Connector(EventLoops&, Options options) : impl_(new Impl{std::move(options)}) {
  if (!impl_->options.name_servers.empty() && !are_name_servers(impl_->options.name_servers))
    throw std::invalid_argument("not a list of name servers: " + impl_->options.name_servers);
}
Connector::~Connector() = default;

const AddressPolicy& Connector::policy() const {
  return impl_->options.policy;
}

asio::awaitable<NetResult<tcp::socket>> Connector::connect(Loop& loop, std::string host, uint16_t port,
                                                           std::shared_ptr<ConnectCancel> cancel) {
  const Options& options = impl_->options;
  const Mono end = mono_now() + options.deadline;
  if (!cancel) cancel = std::make_shared<ConnectCancel>();
  std::vector<asio::ip::address> addresses;
  if (const auto literal = literal_address(host)) {
    addresses.push_back(*literal);
  } else if (ends_in_number(host)) {
    co_return NetFailure(NetErrc::resolve, "resolve: no such name");
  } else {
    auto found = co_await resolve(loop, host, options.name_servers, options.deadline, cancel);
    if (!found) co_return found.error();
    addresses = std::move(*found);
  }
  // One forbidden address condemns the name: its owner decides which one we would get next time.
  for (const auto& address : addresses)
    if (!options.policy.allows(address)) co_return not_allowed();
  NetFailure last{NetErrc::connect, "connect: timed out"};
  for (size_t i = 0; i < addresses.size(); ++i) {
    // An address that swallows packets must leave time for those behind it.
    const Milliseconds limit = left_until(end) / long(addresses.size() - i);
    if (limit <= Milliseconds(0)) break;
    auto socket = co_await attempt_one(loop, {addresses[i], port}, limit, cancel);
    if (socket) {
      error_code ec;
      const auto peer = socket->remote_endpoint(ec);
      if (!ec && !options.policy.allows(peer.address())) co_return not_allowed();
      co_return std::move(*socket);
    }
    last = socket.error();
    if (last.code == NetErrc::stopped) break;
  }
  co_return last;
}

}  // namespace tailrace
