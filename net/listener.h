#pragma once
// One acceptor per listener; each connection goes to the least loaded loop.

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/loops.h"
#include "base/result.h"

namespace tailrace {

/// `host:port`, `[v6]:port` or `:port`; host is a literal address or `localhost`.
Result<asio::ip::tcp::endpoint> parse_endpoint(std::string_view text);

/// Accepts on one address. Without SO_REUSEPORT: a second process must not steal half of the lines.
/// Its connections are ended by the kernel when their peer has been unreachable for a minute.
/// Out of descriptors it waits instead of spinning. Made, started and stopped by the main thread.
class Listener {
 public:
  using OnConnection = std::function<void(Loop&, asio::ip::tcp::socket)>;  // called on that loop's thread

  /// Binds and listens (backlog 1,024); an address in use is an error here.
  static Result<std::unique_ptr<Listener>> open(EventLoops& loops, asio::ip::tcp::endpoint at,
                                                OnConnection on_connection);
  ~Listener();

  /// The address really bound, so that port 0 can be asked for.
  asio::ip::tcp::endpoint endpoint() const;
  void start();
  /// No further connection after it returns… on the accepting loop; safe to call twice.
  void stop();

 private:
  struct Acceptor;
  explicit Listener(std::shared_ptr<Acceptor> acceptor);
  std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace tailrace
