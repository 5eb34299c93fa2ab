#include "cli/outlet.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/ids.h"
#include "cli/api_client.h"
#include "cli/output.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

class StdoutOutlet final : public Outlet {
 public:
  void send(std::deque<OutgoingLine>& pending) override {
    std::string text;
    for (const OutgoingLine& line : pending) (text += line.frame) += '\n';
    if (!write_stdout(text)) return end(exit_ok, "");
    counts_.sent += pending.size();
    counts_.bytes += text.size();
    pending.clear();
  }
};

// Doubles from `first` to `most` with each failure.
class Pause {
 public:
  Pause(std::chrono::milliseconds first, std::chrono::milliseconds most)
      : first_(first), most_(most), wait_(first) {}
  bool over() const { return mono_now() >= until_; }
  void failed() {
    until_ = mono_now() + wait_;
    wait_ = std::min(most_, wait_ * 2);
  }
  void worked() { wait_ = first_; }

 private:
  std::chrono::milliseconds first_, most_, wait_;
  Mono until_{};
};

class SyslogOutlet final : public Outlet {
 public:
  SyslogOutlet(std::string host, uint16_t port) : host_(std::move(host)), port_(port) {}
  ~SyslogOutlet() override { close(); }

  void send(std::deque<OutgoingLine>& pending) override {
    if (pending.empty() || (socket_ < 0 && (!pause_.over() || !connect()))) return;
    const Mono end_of_turn = mono_now() + 100ms;
    while (!pending.empty() && mono_now() < end_of_turn) {
      if (!write_some(pending)) return;
    }
  }

 private:
  bool connect() {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found) != 0) {
      return failed("no such host: " + host_);
    }
    for (const addrinfo* at = found; at && socket_ < 0; at = at->ai_next) try_address(*at);
    ::freeaddrinfo(found);
    if (socket_ < 0) return failed(std::string("connect: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pause_.worked();
    return true;
  }

  void try_address(const addrinfo& at) {
    const int fd = ::socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    int error = 0;
    socklen_t size = sizeof error;
    pollfd writable{fd, POLLOUT, 0};
    bool connected = ::connect(fd, at.ai_addr, at.ai_addrlen) == 0;
    if (!connected && errno == EINPROGRESS) {
      error = ETIMEDOUT;
      connected = ::poll(&writable, 1, 2000) == 1 &&
                  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
      errno = error;
    }
    if (connected) {
      socket_ = fd;
    } else {
      const int reason = errno;
      ::close(fd);
      errno = reason;
    }
  }

  // One write of up to 64 KiB; takes whole frames from `pending`. False: come back later.
  bool write_some(std::deque<OutgoingLine>& pending) {
    char byte;
    const ssize_t heard = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (heard == 0 || (heard < 0 && errno != EAGAIN && errno != EINTR)) return failed("the far end closed");

    std::string bytes;
    size_t frames = 0;
    std::vector<size_t> ends;
    for (; frames < pending.size() && bytes.size() < 64 * 1024; ++frames) {
      const std::string& frame = pending[frames].frame;
      ((bytes += std::to_string(frame.size())) += ' ') += frame;
      ends.push_back(bytes.size());
    }
    const ssize_t n = ::send(socket_, bytes.data() + cut_, bytes.size() - cut_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      pollfd writable{socket_, POLLOUT, 0};
      ::poll(&writable, 1, 50);
      return false;
    }
    if (n < 0) return failed(std::string("write: ") + std::strerror(errno));
    cut_ += size_t(n);
    const auto whole = std::upper_bound(ends.begin(), ends.end(), cut_) - ends.begin();
    if (whole > 0) {
      counts_.sent += uint64_t(whole);
      counts_.bytes += ends[size_t(whole) - 1];
      cut_ -= ends[size_t(whole) - 1];
      pending.erase(pending.begin(), pending.begin() + whole);
    }
    return true;
  }

  bool failed(std::string why) {
    if (socket_ >= 0) ++counts_.reconnects;
    trouble_ = std::move(why);
    close();
    pause_.failed();
    return false;
  }

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    cut_ = 0;
  }

  const std::string host_;
  const uint16_t port_;
  int socket_ = -1;
  size_t cut_ = 0;  // bytes of the first pending frame that are out already
  Pause pause_{100ms, 2s};
};

class HttpOutlet final : public Outlet {
 public:
  HttpOutlet(const std::string& url, const HttpCredentials& credentials) {
    const auto split = split_http_url(url);
    const std::string own = split && !split->user.empty() ? split->user + ":" + split->password : "";
    target_ = split ? split->target : "/";
    const std::string origin = split ? split->origin : url;
    const auto client = [&](const std::string& auth) {
      return ApiClient({.url = origin, .auth = auth.empty() ? own : auth, .deadline = 5s});
    };
    same_ = credentials.platform == credentials.app;
    platform_.emplace(client(credentials.platform));
    app_.emplace(client(credentials.app));
  }

  void send(std::deque<OutgoingLine>& pending) override {
    const Mono end_of_turn = mono_now() + 100ms;
    while (!ended() && pause_.over() && (count_ > 0 || !pending.empty()) && mono_now() < end_of_turn) {
      if (count_ == 0) fill(pending);
      post();
    }
  }

  size_t held() const override { return count_; }

 private:
  // A batch is fixed from its first try on: a retry must be the same bytes under the same id.
  void fill(std::deque<OutgoingLine>& pending) {
    to_platform_ = pending.front().platform;
    frame_id_ = new_uuid();
    std::deque<OutgoingLine> rest;
    for (OutgoingLine& line : pending) {
      if (count_ == 500 || (!same_ && line.platform != to_platform_)) {
        rest.push_back(std::move(line));
        continue;
      }
      (((body_ += std::to_string(line.frame.size())) += ' ') += line.frame);
      ++count_;
    }
    pending = std::move(rest);
  }

  void post() {
    const auto answer =
        (to_platform_ ? *platform_ : *app_)
            .post(target_, body_, "application/logplex-1",
                  {{"Logplex-Msg-Count", std::to_string(count_)}, {"Logplex-Frame-Id", frame_id_}});
    if (answer) {
      counts_.sent += count_;
      counts_.bytes += body_.size();
      pause_.worked();
    } else {
      trouble_ = answer.error().text;
      const int status = answer.error().status;
      if (status == 0 || status == 408 || status == 429 || status >= 500) {
        ++counts_.reconnects;
        return pause_.failed();
      }
      counts_.failed += count_;
      if (status == 401 || status == 403) end(exit_unauthorised, trouble_);
    }
    body_.clear();
    count_ = 0;
  }

  std::optional<ApiClient> platform_, app_;
  bool same_ = true;
  std::string target_, body_, frame_id_;
  size_t count_ = 0;  // lines in body_
  bool to_platform_ = true;
  Pause pause_{100ms, 2s};
};

}  // namespace

std::unique_ptr<Outlet> stdout_outlet() {
  return std::make_unique<StdoutOutlet>();
}

std::unique_ptr<Outlet> syslog_outlet(std::string host, uint16_t port) {
  return std::make_unique<SyslogOutlet>(std::move(host), port);
}

std::unique_ptr<Outlet> http_outlet(const std::string& url, const HttpCredentials& credentials) {
  return std::make_unique<HttpOutlet>(url, credentials);
}

}  // namespace tailrace
