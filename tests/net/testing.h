#pragma once
// A served table of routes on a loopback port, and a plain socket that says exactly what a test wants it to
// say.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "net/http_server.h"
#include "net/listener.h"
#include "tests/eventually.h"

namespace tailrace::testing {

using namespace std::chrono_literals;

/// A value that one thread sets and another waits for.
template <class T>
class Promised {
 public:
  void set(T value) {
    const std::scoped_lock lock(mutex_);
    value_ = std::move(value);
    ready_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return ready_; });
  }
  T get() {
    REQUIRE(wait());
    const std::scoped_lock lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
  bool ready_ = false;
};

/// A blocking TCP connection to loopback; a read that takes ten seconds fails.
class Peer {
 public:
  explicit Peer(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    limit_reads();
  }
  explicit Peer(int accepted, bool) : fd_(accepted) { limit_reads(); }
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)), held_(std::move(other.held_)) {}
  Peer(const Peer&) = delete;
  ~Peer() { close(); }

  int fd() const { return fd_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(size_t(n));
    }
    return true;
  }
  void half_close() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  /// Reads on; false at the end, after a reset, or when nothing came in time.
  bool more() {
    char bytes[16384];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) held_.append(bytes, size_t(n));
    ended_ = n == 0;
    return n > 0;
  }
  /// Up to and with `mark`.
  std::string until(std::string_view mark) {
    size_t at;
    while ((at = held_.find(mark)) == std::string::npos)
      if (!more()) return std::exchange(held_, {});
    std::string out = held_.substr(0, at + mark.size());
    held_.erase(0, out.size());
    return out;
  }
  std::string exactly(size_t count) {
    while (held_.size() < count && more()) {
    }
    std::string out = held_.substr(0, count);
    held_.erase(0, out.size());
    return out;
  }
  /// Everything until the far end closes.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(held_, {});
  }
  /// The far end closed in order, rather than by a reset or not at all.
  bool ended() const { return ended_; }

  struct Answer {
    int status = 0;
    std::string head, body;
  };
  /// One answer with a Content-Length.
  Answer answer() {
    Answer out;
    out.head = until("\r\n\r\n");
    if (out.head.size() > 12) out.status = std::atoi(out.head.c_str() + 9);
    const size_t at = out.head.find("Content-Length: ");
    if (at != std::string::npos) out.body = exactly(size_t(std::atoi(out.head.c_str() + at + 16)));
    return out;
  }

 private:
  void limit_reads() {
    const timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  int fd_;
  std::string held_;
  bool ended_ = false;
};

/// A listening socket of a far end that the test plays itself.
class FarEnd {
 public:
  FarEnd() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  ~FarEnd() { close(); }
  uint16_t port() const { return port_; }
  Peer accept() { return Peer(::accept(fd_, nullptr, nullptr), true); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
  uint16_t port_ = 0;
};

/// A server with its routes; loops run from start() to the end of the scope.
struct Served {
  HttpRoutes routes;
  Budget bodies{64u << 20};
  HttpLimits limits;
  EventLoops loops{2};
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Listener> listener;

  uint16_t start(const ServerTls* tls = nullptr) {
    server = std::make_unique<HttpServer>(routes, bodies, limits);
    auto opened = Listener::open(
        loops, *parse_endpoint("127.0.0.1:0"),
        [this, tls](Loop& loop, asio::ip::tcp::socket s) { server->serve(loop, std::move(s), tls); });
    REQUIRE(opened.has_value());
    listener = std::move(*opened);
    loops.start();
    listener->start();
    return port();
  }
  uint16_t port() const { return listener->endpoint().port(); }
  ~Served() {
    listener.reset();
    server.reset();
    loops.stop();
  }
};

}  // namespace tailrace::testing
