#pragma once
// Where simulated lines go: stdout, a syslog listener, or POST /logs.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "cli/exit_code.h"

namespace tailrace {

struct OutgoingLine {
  std::string frame;     // RFC 5424, without a newline
  bool platform = true;  // heroku's, else the app's
};

/// Takes lines from the front of a queue, in order, as fast as the far end takes them. Used by one thread.
class Outlet {
 public:
  struct Counts {
    uint64_t sent = 0;        // handed over: written to the socket, or answered 2xx
    uint64_t failed = 0;      // given up
    uint64_t bytes = 0;       // of the sent ones, framing included
    uint64_t reconnects = 0;  // connections or requests that broke
  };

  virtual ~Outlet() = default;

  /// Sends what can be sent within about 100 ms and removes what is settled from `pending`; what is left, its
  /// first line above all, comes again with the next call.
  virtual void send(std::deque<OutgoingLine>& pending) = 0;
  /// Lines that it took but that are not settled yet.
  virtual size_t held() const { return 0; }
  /// Not exit_ok: no further call makes sense. exit_ok with ended(): the reader has enough.
  Exit fate() const { return fate_; }
  bool ended() const { return ended_; }
  const std::string& trouble() const { return trouble_; }
  const Counts& counts() const { return counts_; }

 protected:
  void end(Exit fate, std::string trouble) { fate_ = fate, ended_ = true, trouble_ = std::move(trouble); }
  Counts counts_;
  std::string trouble_;  // the last one, for people

 private:
  Exit fate_ = exit_ok;
  bool ended_ = false;
};

/// One line each.
std::unique_ptr<Outlet> stdout_outlet();

/// Octet-counted over TCP. Connects when it must and backs off from 100 ms to 2 s. A frame that was cut by a
/// broken connection goes out again whole; whole frames that the kernel took are counted as sent, read or
/// not.
std::unique_ptr<Outlet> syslog_outlet(std::string host, uint16_t port);

/// logplex-1 batches of at most 500 lines to `url` (`http://host:port/logs`), each kind of line with its own
/// credential. A batch that got no answer, a 429 or a 5xx is sent again under the same Logplex-Frame-Id;
/// another refusal costs the batch, 401 and 403 end it all.
struct HttpCredentials {
  std::string platform, app;  // `user:password`
};
std::unique_ptr<Outlet> http_outlet(const std::string& url, const HttpCredentials& credentials);

}  // namespace tailrace
