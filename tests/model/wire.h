#pragma once
// Messages between a test and the process it forked.

#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tailrace::model {

/// One end of a socket pair. send() may be called by any thread.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}
  ~Wire() { ::close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(const nlohmann::json& message) {
    const std::string text = message.dump();
    const std::lock_guard lock(mutex_);
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);  // who is gone hears nothing
  }
  /// None: the other end is gone.
  std::optional<nlohmann::json> receive() {
    std::string text(1 << 20, '\0');
    const ssize_t got = ::recv(fd_, text.data(), text.size(), 0);
    if (got <= 0) return {};
    text.resize(size_t(got));
    return nlohmann::json::parse(text);
  }

 private:
  const int fd_;
  std::mutex mutex_;
};

}  // namespace tailrace::model
