#pragma once
// A far end of syslog drains that the test plays itself.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace tailrace::testing {

/// A listening socket on loopback; accepts when told to.
class SyslogFarEnd {
 public:
  explicit SyslogFarEnd(uint16_t wanted = 0, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (receive_buffer) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(wanted);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
  }
  ~SyslogFarEnd() { ::close(fd_); }
  int accept() { return ::accept(fd_, nullptr, nullptr); }
  /// Somebody waits to be accepted.
  bool wanted() const {
    pollfd waiting{fd_, POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  std::string url() const { return "syslog://127.0.0.1:" + std::to_string(port); }
  uint16_t port;

 private:
  int fd_;
};

/// Reads frames until `n` messages are there; the whole message each.
inline std::vector<std::string> read_messages(int fd, size_t n, std::string& held) {
  std::vector<std::string> all;
  char bytes[65536];
  for (;;) {
    for (;;) {
      const size_t blank = held.find(' ');
      if (blank == held.npos) break;
      const size_t size = std::stoul(held.substr(0, blank));
      if (held.size() < blank + 1 + size) break;
      const std::string frame = held.substr(blank + 1, size);
      held.erase(0, blank + 1 + size);
      CHECK(frame.ends_with('\n'));
      size_t at = 0;
      for (int i = 0; i < 7; ++i) at = frame.find(' ', at) + 1;
      all.push_back(frame.substr(at, frame.size() - at - 1));
    }
    if (all.size() >= n) return all;
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return all;
    held.append(bytes, size_t(got));
  }
}

inline void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

}  // namespace tailrace::testing
