#include "net/connector.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "tests/net/dns_stub.h"
#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

struct Outcome {
  NetFailure failure;
  std::string peer;
};

asio::awaitable<void> try_connect(Connector& connector, Loop& loop, std::string host, uint16_t port,
                                  std::shared_ptr<ConnectCancel> cancel, Promised<Outcome>& out) {
  auto socket = co_await connector.connect(loop, host, port, cancel);
  Outcome outcome;
  if (socket) {
    boost::system::error_code ec;
    outcome.peer = socket->remote_endpoint(ec).address().to_string();
  } else {
    outcome.failure = socket.error();
  }
  out.set(outcome);
}

struct Connecting {
  explicit Connecting(std::string allow = "127.0.0.0/8", std::string servers = {},
                      std::chrono::milliseconds deadline = 5s) {
    connector = std::make_unique<Connector>(
        loops, Connector::Options{*AddressPolicy::parse(allow, ""), std::move(servers), deadline});
    loops.start();
  }
  ~Connecting() { loops.stop(); }
  void begin(std::string host, uint16_t port, Promised<Outcome>& out,
             std::shared_ptr<ConnectCancel> cancel = {}) {
    asio::co_spawn(loops[0].io,
                   try_connect(*connector, loops[0], std::move(host), port, std::move(cancel), out),
                   asio::detached);
  }
  Outcome connect(std::string host, uint16_t port) {
    Promised<Outcome> out;
    begin(std::move(host), port, out);
    return out.get();
  }

  EventLoops loops{1};
  std::unique_ptr<Connector> connector;
};

}  // namespace

TEST_CASE("literals, localhost and refusals") {
  FarEnd far;
  Connecting c;
  for (const std::string host : {"127.0.0.1", "127.1", "0x7f000001", "localhost"}) {
    const Outcome outcome = c.connect(host, far.port());
    CHECK_MESSAGE(outcome.failure.text == "", host);
    CHECK_MESSAGE(outcome.peer == "127.0.0.1", host);
  }
  CHECK(c.connect("256.1.1.1", 80).failure.code == NetErrc::resolve);
  const uint16_t port = far.port();
  far.close();
  const Outcome refused = c.connect("127.0.0.1", port);
  CHECK(refused.failure.code == NetErrc::connect);
  CHECK(refused.failure.text == "connect: connection refused (127.0.0.1:" + std::to_string(port) + ")");
}

TEST_CASE("forbidden addresses, as literals and as answers of a name server") {
  FarEnd far;
  DnsStub dns;
  dns.answer("public-then-private.test", {"127.0.0.1", "10.0.0.1"});
  dns.answer("private.test", {"10.0.0.1"});
  dns.answer("mapped.test", {"::ffff:10.0.0.1"});
  dns.answer("good.test", {"127.0.0.1"});
  Connecting c("127.0.0.1", dns.server());
  CHECK(c.connect("good.test", far.port()).peer == "127.0.0.1");
  for (const std::string host :
       {"10.0.0.1", "127.0.0.2", "[::1]", "::1", "[::ffff:127.0.0.2]", "169.254.169.254", "0", "private.test",
        "mapped.test", "public-then-private.test"}) {
    const Outcome outcome = c.connect(host, far.port());
    CHECK_MESSAGE(outcome.failure.code == NetErrc::address_not_allowed, host);
    CHECK_MESSAGE(outcome.failure.text == "address not allowed", host);
  }
  Connecting strict("");
  CHECK(strict.connect("localhost", far.port()).failure.code == NetErrc::address_not_allowed);
}

TEST_CASE("what a name server can say instead of an address") {
  DnsStub dns;
  dns.refuse("none.test", DnsStub::kNoSuchName);
  dns.refuse("broken.test", DnsStub::kServerFailed);
  Connecting c("127.0.0.1", dns.server());
  CHECK(c.connect("none.test", 80).failure.text == "resolve: no such name (none.test)");
  CHECK(c.connect("broken.test", 80).failure.code == NetErrc::resolve);
}

TEST_CASE("the second address is tried when the first refuses") {
  FarEnd far;
  DnsStub dns;
  dns.answer("two.test", {"127.0.0.9", "127.0.0.1"});
  Connecting c("127.0.0.0/8", dns.server());
  CHECK(c.connect("two.test", far.port()).peer == "127.0.0.1");
}

TEST_CASE("a name server that says nothing ends by the deadline and stops nobody else") {
  FarEnd far;
  DnsStub dns;
  dns.ignore("hangs.test");
  dns.answer("good.test", {"127.0.0.1"});
  Connecting c("127.0.0.0/8", dns.server(), 300ms);
  Promised<Outcome> hangs;
  c.begin("hangs.test", 80, hangs);
  CHECK(c.connect("good.test", far.port()).peer == "127.0.0.1");
  CHECK(c.connect("127.0.0.1", far.port()).peer == "127.0.0.1");
  CHECK(hangs.get().failure.text == "resolve: timed out (hangs.test)");
}

TEST_CASE("a look-up under way can be cancelled") {
  DnsStub dns;
  dns.ignore("hangs.test");
  Connecting c("127.0.0.0/8", dns.server());
  Promised<Outcome> out;
  const auto cancel = std::make_shared<ConnectCancel>();
  c.begin("hangs.test", 80, out, cancel);
  REQUIRE(eventually([&] { return dns.questions() > 0; }));
  asio::post(c.loops[0].io, [cancel] { cancel->cancel(); });
  CHECK(out.get().failure.code == NetErrc::stopped);
}

TEST_CASE("a wrong list of name servers is an error at the start") {
  EventLoops loops(1);
  CHECK_THROWS(Connector(loops, Connector::Options{AddressPolicy(), "not a server", 1s}));
}

namespace {

std::atomic<int> times_read{0};

AddressPolicy::Addresses moved_here() {
  ++times_read;
  return {asio::ip::make_address("1.1.1.1")};
}

}  // namespace

TEST_CASE("an address that the machine has by now is refused, and is not looked for at each connect") {
  for (const auto own_for : {60'000ms, 0ms}) {
    Connecting c;
    Connector::Options options{*AddressPolicy::parse("127.0.0.0/8", ""), {}, 1s};
    REQUIRE(options.policy.allows(asio::ip::make_address("1.1.1.1")));
    options.own_for = own_for;
    options.own_addresses = &moved_here;
    c.connector = std::make_unique<Connector>(c.loops, options);
    times_read = 0;
    for (int i = 0; i < 3; ++i) CHECK(c.connect("1.1.1.1", 80).failure.code == NetErrc::address_not_allowed);
    CHECK(times_read == (own_for == 0ms ? 3 : 1));
  }
}
