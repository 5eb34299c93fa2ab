#pragma once
// A connected socket on one loop, plain or TLS, with one deadline for whatever is going on.

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/loops.h"
#include "net/tls_socket.h"

namespace tailrace {

/// Up to four pieces that are sent as one. Refers to them.
class Gather {
 public:
  explicit Gather(std::string_view a, std::string_view b = {}, std::string_view c = {},
                  std::string_view d = {});
  bool empty() const { return first_ == end_; }
  std::span<const asio::const_buffer> pieces() const { return {pieces_.data() + first_, end_ - first_}; }
  /// Leaves out the first `count` bytes.
  void drop_front(size_t count);
  Gather from(size_t count) const {
    Gather rest = *this;
    rest.drop_front(count);
    return rest;
  }

 private:
  std::array<asio::const_buffer, 4> pieces_;
  size_t first_ = 0, end_ = 0;
};

/// Non-blocking reads and writes, and waits that end by a deadline or an interruption. Belongs to one loop
/// and is used by one coroutine, which keeps it alive; the watch is the one thing that goes on beside it.
///
/// The deadline is a moment, not a timer: moving it later costs a store, so that a keep-alive connection
/// re-arms its timer once per timeout and not once per request.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(Loop& loop, asio::ip::tcp::socket socket);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Loop& loop() { return loop_; }
  asio::ip::tcp::socket& socket() { return socket_; }

  /// From now on, in total; replaces the former deadline, passed or not.
  void deadline_in(std::chrono::milliseconds duration);
  void no_deadline();
  bool late() const { return late_; }

  /// Ends the wait under way, and each later one, with Io::stopped.
  void interrupt();
  bool interrupted() const { return interrupted_; }

  /// Without waiting. `count` is how many bytes were moved.
  Io read_some(std::span<char> into, size_t& count);
  Io write_some(const Gather& buffers, size_t& count);

  asio::awaitable<Io> readable();
  asio::awaitable<Io> writable();
  /// Until either; `ok` says neither which.
  asio::awaitable<Io> readable_or_writable();
  /// All of it, with up to `stall` between two moments of progress.
  asio::awaitable<Io> write(Gather buffers, std::chrono::milliseconds stall);

  /// Bytes that the far end's system has not acknowledged (SIOCOUTQ).
  size_t unsent() const;

  /// Calls `on_readable` each time bytes or an end arrive, until it says false or unwatch().
  void watch(std::function<bool()> on_readable);
  void unwatch();

  /// No further bytes from us; the far end can still send.
  void shutdown_send();
  void close();

  /// From here on everything goes through TLS.
  void use_tls(SslPtr tls) { tls_ = TlsSocket(std::move(tls), socket_.native_handle()); }
  const TlsSocket& tls() const { return tls_; }
  asio::awaitable<Io> handshake();

 private:
  void arm();
  void tick();
  void next_watch(uint64_t watch);
  Io wait_ended(const boost::system::error_code& ec) const;
  asio::ip::tcp::socket::wait_type bytes_expected() const;

  Loop& loop_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  Mono deadline_ = Mono::max(), armed_ = Mono::max();
  std::function<bool()> on_readable_;
  uint64_t watch_ = 0;
  TlsSocket tls_;
  bool late_ = false, interrupted_ = false;
};

}  // namespace tailrace
