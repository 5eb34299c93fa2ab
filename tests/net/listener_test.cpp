#include "net/listener.h"

#include <netinet/tcp.h>

#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

TEST_CASE("the kernel looks after accepted connections whose peer may vanish") {
  EventLoops loops{1};
  Promised<std::vector<int>> options;
  auto listener =
      Listener::open(loops, *parse_endpoint("127.0.0.1:0"), [&](Loop&, asio::ip::tcp::socket socket) {
        std::vector<int> got;
        for (const auto& [level, option] :
             {std::pair<int, int>(SOL_SOCKET, SO_KEEPALIVE), std::pair<int, int>(IPPROTO_TCP, TCP_KEEPIDLE),
              std::pair<int, int>(IPPROTO_TCP, TCP_KEEPINTVL), std::pair<int, int>(IPPROTO_TCP, TCP_KEEPCNT),
              std::pair<int, int>(IPPROTO_TCP, TCP_USER_TIMEOUT)}) {
          int value = -1;
          socklen_t size = sizeof value;
          ::getsockopt(socket.native_handle(), level, option, &value, &size);
          got.push_back(value);
        }
        options.set(std::move(got));
      });
  REQUIRE(listener.has_value());
  loops.start();
  (*listener)->start();
  const Peer peer((*listener)->endpoint().port());
  CHECK(options.get() == std::vector<int>{1, 30, 10, 3, 60'000});
  listener->reset();
  loops.stop();
}
