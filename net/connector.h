#pragma once
// Reaching a far end: name, policy, connect. The one way out of the process towards a stranger.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/address_policy.h"
#include "base/clock.h"
#include "base/loops.h"
#include "net/failure.h"

namespace tailrace {

/// How one step on the way to a far end went, for its owner.
struct ConnectStep {
  bool tried = false, ok = false;
  std::chrono::microseconds took{0};
  std::string outcome;  // `192.0.2.7`, `connection refused (192.0.2.7:443)`
};
struct ConnectSteps {
  ConnectStep resolve, connect, handshake;
};

/// Notes one step from its construction to done().
class StepWatch {
 public:
  explicit StepWatch(ConnectStep& step) : step_(step) { step_ = ConnectStep(), step_.tried = true; }
  void done(bool ok, std::string outcome) {
    step_.took = std::chrono::duration_cast<std::chrono::microseconds>(mono_now() - began_);
    step_.ok = ok;
    step_.outcome = std::move(outcome);
  }

 private:
  ConnectStep& step_;
  const Mono began_ = mono_now();
};

/// Ends a connect under way from beside it. Shared by the caller and the call; belongs to the call's loop.
class ConnectCancel {
 public:
  void cancel() {
    cancelled_ = true;
    if (const auto end = std::exchange(end_, nullptr)) end();
  }
  bool cancelled() const { return cancelled_; }
  /// What cancel() does at the moment.
  void on_cancel(std::function<void()> end) { end_ = std::move(end); }

 private:
  std::function<void()> end_;
  bool cancelled_ = false;
};

/// Resolves with c-ares (asynchronous, cancellable, `TAILRACE_DNS` or the system's servers), refuses what the
/// address policy forbids (each address of the answer, checked on the socket address of the connect itself),
/// and connects. One for the process; its calls run on the caller's loop. Deadline for all of it: 5 s.
class Connector {
 public:
  struct Options {
    AddressPolicy policy;
    std::string name_servers;  // `host:port,…`; empty: the system's
    std::chrono::milliseconds deadline{5'000};
    std::chrono::milliseconds own_for{60'000};  // how old what is known of the machine's addresses may be
    AddressPolicy::Addresses (*own_addresses)() = &AddressPolicy::own_addresses;
  };
  Connector(EventLoops& loops, Options options);
  ~Connector();

  /// A connected, non-blocking socket with TCP_NODELAY, on `loop`; call it from that loop.
  /// `cancel`, if given, ends it with NetErrc::stopped; `steps`, if given, outlives the call, as the
  /// connector does.
  asio::awaitable<NetResult<asio::ip::tcp::socket>> connect(Loop& loop, std::string host, uint16_t port,
                                                            std::shared_ptr<ConnectCancel> cancel = {},
                                                            ConnectSteps* steps = nullptr);

  /// As the options have it: to judge what an owner asks for. Each connect looks at the machine's addresses
  /// too, as they are by then.
  const AddressPolicy& policy() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailrace
