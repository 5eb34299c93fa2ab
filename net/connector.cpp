#include "net/connector.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <mutex>

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

using Addresses = std::vector<asio::ip::address>;

std::string all_of(const Addresses& addresses) {
  std::string all;
  for (const auto& address : addresses) all += (all.empty() ? "" : ", ") + address.to_string();
  return all;
}

std::string peer_of(const tcp::socket& socket) {
  error_code ec;
  const auto peer = socket.remote_endpoint(ec);
  return ec ? "gone already" : shown(peer);
}

std::string without(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
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

/// What a host stands for, all of it reachable for drains. One forbidden address condemns the name: its owner
/// decides which one we would get next time.
asio::awaitable<NetResult<Addresses>> allowed_addresses(Loop& loop, std::string host,
                                                        const Connector::Options& options,
                                                        std::shared_ptr<const AddressPolicy> policy,
                                                        std::shared_ptr<ConnectCancel> cancel) {
  Addresses addresses;
  if (const auto literal = literal_address(host)) {
    addresses.push_back(*literal);
  } else if (ends_in_number(host)) {
    co_return NetFailure(NetErrc::resolve, "resolve: no such name");
  } else {
    auto found = co_await resolve(loop, host, options.name_servers, options.deadline, cancel);
    if (!found) co_return found.error();
    addresses = std::move(*found);
  }
  for (const auto& address : addresses)
    if (!policy->allows(address)) co_return not_allowed();
  co_return addresses;
}

/// One after the other until `end`.
asio::awaitable<NetResult<tcp::socket>> attempt_each(Loop& loop, Addresses addresses, uint16_t port,
                                                     std::shared_ptr<const AddressPolicy> policy, Mono end,
                                                     std::shared_ptr<ConnectCancel> cancel) {
  NetFailure last{NetErrc::connect, "connect: timed out"};
  for (size_t i = 0; i < addresses.size(); ++i) {
    // An address that swallows packets must leave time for those behind it.
    const Milliseconds limit = left_until(end) / long(addresses.size() - i);
    if (limit <= Milliseconds(0)) break;
    auto socket = co_await attempt_one(loop, {addresses[i], port}, limit, cancel);
    if (socket) {
      error_code ec;
      const auto peer = socket->remote_endpoint(ec);
      if (!ec && !policy->allows(peer.address())) co_return not_allowed();
      co_return std::move(*socket);
    }
    last = socket.error();
    if (last.code == NetErrc::stopped) break;
  }
  co_return last;
}

}  // namespace

struct Connector::Impl {
  explicit Impl(Options its_options) : options(std::move(its_options)) {}

  /// Any thread.
  std::shared_ptr<const AddressPolicy> policy_now() {
    const std::lock_guard lock(mutex);
    const Mono now = mono_now();
    if (!policy || now - read_at >= options.own_for) {
      policy = std::make_shared<const AddressPolicy>(options.policy.on_machine_with(options.own_addresses()));
      read_at = now;
    }
    return policy;
  }

  const Options options;
  std::mutex mutex;
  std::shared_ptr<const AddressPolicy> policy;  // guarded by mutex
  Mono read_at{};                               // guarded by mutex
};

Connector::Connector(EventLoops&, Options options) : impl_(new Impl(std::move(options))) {
  if (!impl_->options.name_servers.empty() && !are_name_servers(impl_->options.name_servers))
    throw std::invalid_argument("not a list of name servers: " + impl_->options.name_servers);
}
Connector::~Connector() = default;

const AddressPolicy& Connector::policy() const {
  return impl_->options.policy;
}

asio::awaitable<NetResult<tcp::socket>> Connector::connect(Loop& loop, std::string host, uint16_t port,
                                                           std::shared_ptr<ConnectCancel> cancel,
                                                           ConnectSteps* steps) {
  ConnectSteps unwatched;
  if (!steps) steps = &unwatched;
  if (!cancel) cancel = std::make_shared<ConnectCancel>();
  const Mono end = mono_now() + impl_->options.deadline;
  StepWatch resolving(steps->resolve);
  const auto policy = impl_->policy_now();
  auto addresses = co_await allowed_addresses(loop, std::move(host), impl_->options, policy, cancel);
  if (!addresses) {
    resolving.done(false, without(addresses.error().text, "resolve: "));
    co_return addresses.error();
  }
  resolving.done(true, all_of(*addresses));
  StepWatch connecting(steps->connect);
  auto socket = co_await attempt_each(loop, std::move(*addresses), port, policy, end, cancel);
  if (socket)
    connecting.done(true, peer_of(*socket));
  else
    connecting.done(false, without(socket.error().text, "connect: "));
  co_return socket;
}

}  // namespace tailrace
