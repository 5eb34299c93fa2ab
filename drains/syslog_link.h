#pragma once
// One connection to a syslog far end: bytes one way, plain or TLS, and how many of them have arrived.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/loops.h"
#include "net/client_tls.h"
#include "net/connector.h"
#include "net/failure.h"
#include "net/tls_socket.h"

namespace tailrace {

struct SyslogLimits {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds handshake{5'000};
  Milliseconds verdict{1'000};   // for a far end of TLS 1.3 to refuse the certificate it asked us for
  Milliseconds stalled{15'000};  // without an acknowledgement of what is under way
  Milliseconds idle{240'000};    // and up to a quarter more, at random
  Milliseconds age{3'600'000};   // or up to a quarter less, so that those made together do not end together
  Milliseconds stable{5'000};    // what worked so long may be made again at once
};

/// Whom a link tells: on its loop, and never from inside a call to the link.
class SyslogLinkOwner {
 public:
  /// All that was given has been taken by the kernel: there is room.
  virtual void link_free() = 0;
  /// More than before has been acknowledged.
  virtual void link_acknowledged() = 0;
  /// It has idled for long, or is old: time to end it in order, once nothing is under way.
  virtual void link_due() = 0;
  /// It broke, or was closed; timeout: nothing was acknowledged for too long. It is of no more use.
  virtual void link_ended(const NetFailure& why) = 0;

 protected:
  ~SyslogLinkOwner() = default;
};

/// Sends without blocking; what the socket does not take at once stays in the link and waits for it. What
/// the far end says is thrown away. Belongs to one loop; held by its owner, until close(), and by what it
/// has under way. After close(), or after it has ended, it tells nothing more.
class SyslogLink : public std::enable_shared_from_this<SyslogLink> {
 public:
  struct To {
    std::string host;
    uint16_t port = 0;
    bool tls = false;
  };
  /// Resolves, connects, shakes hands. `cancel` ends it with NetErrc::stopped; `steps` may be null.
  static asio::awaitable<NetResult<std::shared_ptr<SyslogLink>>> open(Loop& loop, Connector& connector,
                                                                      ClientTls tls, To to, TlsReturn back,
                                                                      SyslogLimits limits,
                                                                      std::shared_ptr<ConnectCancel> cancel,
                                                                      ConnectSteps* steps);

  /// From now on `owner` is told; it outlives that.
  void begin(SyslogLinkOwner& owner);

  enum class Sent : uint8_t {
    all,
    some,    // the rest is kept, and is sent first: give nothing more before link_free()
    broken,  // failure() says why; close it
  };
  Sent send(std::string_view bytes);

  uint64_t given() const { return given_; }  // bytes, to send()
  /// How many of them the far end's TCP has acknowledged, as the kernel knows now; of TLS whole records.
  uint64_t acknowledged();
  /// While something is under way, acknowledgements are looked for.
  void check_later();

  const NetFailure& failure() const { return failure_; }
  Mono opened_at() const { return opened_at_; }
  Mono last_progress() const { return last_progress_; }
  /// What a new connection can begin with; nothing without TLS.
  void leave(TlsReturn& back) const {
    if (tls_) back.keep(tls_);
  }

  /// Ends it; with nothing left unsent, the far end is told that nothing was cut off.
  void close();

 private:
  /// Where bytes of ours end on the wire.
  struct Mark {
    uint64_t given, wire;
  };

  SyslogLink(Loop& loop, asio::ip::tcp::socket socket, const SyslogLimits& limits);
  asio::awaitable<NetFailure> shake_hands(SslPtr ssl, std::shared_ptr<ConnectCancel> cancel);
  asio::awaitable<Io> until(Mono end, bool for_verdict, std::shared_ptr<ConnectCancel> cancel);
  Io verdict(uint64_t received);
  Sent push(std::string_view& bytes);
  void wait_writable();
  void watch_far_end();
  void far_end_said_something();
  void watch_age();
  void ended(NetFailure why);
  void broken_by(int error);

  Loop& loop_;
  const SyslogLimits limits_;
  asio::ip::tcp::socket socket_;
  TlsSocket tls_;
  SyslogLinkOwner* owner_ = nullptr;
  asio::steady_timer check_timer_;  // of acknowledgements
  asio::steady_timer age_timer_;    // of the handshake, then of idleness and age
  bool checking_ = false;

  uint64_t given_ = 0, written_ = 0;  // of ours, to us and to the kernel
  uint64_t acknowledged_ = 0, wire_acknowledged_ = 0;
  std::deque<Mark> marks_;  // of TLS records that are not acknowledged
  std::string rest_;        // what the socket has not taken yet
  size_t rest_at_ = 0;
  Mono opened_at_, last_progress_, retire_at_;
  Mono::duration idle_{};
  NetFailure failure_;
};

}  // namespace tailrace
