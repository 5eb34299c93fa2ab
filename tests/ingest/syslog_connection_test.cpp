#include "ingest/syslog_connection.h"

#include <doctest/doctest.h>

#include <boost/asio/write.hpp>

#include "channels/memory_catalog.h"
#include "tests/channels/later_store.h"
#include "tests/eventually.h"

using namespace tailrace;
using tailrace::testing::eventually;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// One connection whose loop runs when the test says so.
struct Fixture {
  Fixture() {
    channel = *catalog.add_channel("shop");
    token = *catalog.add_token("1", "app");
    asio::ip::tcp::acceptor acceptor(here_loop.io, {asio::ip::address_v4::loopback(), 0});
    peer.connect(acceptor.local_endpoint());
    connection = std::make_shared<SyslogConnection>(here, acceptor.accept(), token->id, nullptr);
    connection->start();
  }
  ~Fixture() {
    connection->finish();
    here.sweep.cancel();
    connection.reset();
    here_loop.io.restart();
    here_loop.io.poll();
  }
  void send(const std::string& bytes) { asio::write(peer, asio::buffer(bytes)); }
  /// Runs the loop until so many records have come.
  bool comes(uint64_t records) {
    return eventually([&] {
      here_loop.io.restart();
      here_loop.io.poll();
      return channel->log->totals().accepted == records;
    });
  }

  prometheus::Registry registry;
  IngestStats stats{registry};
  testing::LaterStore store;
  MemoryCatalog memory{store, {.drains_per_channel = 6}};
  Catalog& catalog = memory;
  ChannelPtr channel;
  TokenPtr token;
  Quota quota;
  Intake intake{catalog, stats, quota};
  Budget held{1 << 20};
  HandshakeCounts handshakes;
  Loop here_loop;
  SyslogLoop here{here_loop, intake, store, stats, held, handshakes};
  asio::io_context elsewhere;
  asio::ip::tcp::socket peer{elsewhere};
  std::shared_ptr<SyslogConnection> connection;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "a sender whose writes never end with a frame is not given up while frames become whole") {
  send("line 1\nli");
  REQUIRE(comes(1));
  const Mono between = mono_now();
  send("ne 2\nli");
  REQUIRE(comes(2));
  connection->give_up_if_overdue(between + 60s);  // what is begun now was not begun then
  send("ne 3\n");
  CHECK(comes(3));
}

TEST_CASE_FIXTURE(Fixture, "a frame that does not become whole for a minute is given up") {
  send("line 1\nli");
  REQUIRE(comes(1));
  connection->give_up_if_overdue(mono_now() + 60s);
  char byte;
  error_code ec;
  peer.read_some(asio::buffer(&byte, 1), ec);
  CHECK(ec);
}

TEST_CASE_FIXTURE(Fixture, "without room nothing is read, from a connection that idles neither") {
  send("line 1\nli");
  REQUIRE(comes(1));
  store.room = false;
  send("ne 2\n");
  const int asked = store.asked_for_room;
  REQUIRE(eventually([&] {
    here_loop.io.restart();
    here_loop.io.poll();
    return store.asked_for_room > asked + 2;
  }));
  CHECK(channel->log->totals().accepted == 1);
  connection->give_up_if_overdue(mono_now() + 600s);  // nobody could have completed it
  store.room = true;
  CHECK(comes(2));
}

TEST_CASE_FIXTURE(Fixture, "a frame that was begun before there was no room has its minute when there is") {
  send("line 1\nli");
  REQUIRE(comes(1));
  store.room = false;
  send("ne");
  const auto looks_for_room = [&](int times) {
    const int asked = store.asked_for_room;
    return eventually([&] {
      here_loop.io.restart();
      here_loop.io.poll();
      return store.asked_for_room >= asked + times;
    });
  };
  REQUIRE(looks_for_room(2));
  const Mono meanwhile = mono_now();
  store.room = true;
  REQUIRE(looks_for_room(1));
  connection->give_up_if_overdue(meanwhile + 60s);
  send(" 2\n");
  CHECK(comes(2));
}

TEST_CASE_FIXTURE(Fixture, "at the end nothing is taken that has no room") {
  store.room = false;
  send("line 1\n");
  connection->finish();
  char byte;
  error_code ec;
  peer.read_some(asio::buffer(&byte, 1), ec);
  CHECK(ec == asio::error::connection_reset);  // so the sender is told
  CHECK(channel->log->totals().accepted == 0);
}
