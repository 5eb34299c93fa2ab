// Answers that go on: who notices their end, and what stop() does to them.
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

std::atomic<int> streaming, gone, refused_writes;

/// Sends one line and waits until it is told that nobody reads any more.
asio::awaitable<void> tail(HttpExchange& exchange) {
  asio::steady_timer wake(exchange.loop().io, asio::steady_timer::time_point::max());
  exchange.on_gone([&wake] {
    ++gone;
    wake.cancel();
  });
  const bool begun = co_await exchange.begin_stream(200, {});
  if (!begun) co_return;
  co_await exchange.write("line\n");
  ++streaming;
  co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await exchange.write("bye\n");
}

asio::awaitable<void> late_interest(HttpExchange& exchange) {
  co_await exchange.begin_stream(200, {});
  ++streaming;
  asio::steady_timer wake(exchange.loop().io, asio::steady_timer::time_point::max());
  bool open = true;
  while (open) open = co_await exchange.write(std::string(100'000, 'x'));
  ++refused_writes;
  exchange.on_gone([&wake] {
    ++gone;
    wake.cancel();
  });
  co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> short_stream(HttpExchange& exchange) {
  co_await exchange.begin_stream(200, {});
  co_await exchange.write("");
  co_await exchange.write("some");
}

asio::awaitable<void> breaks_off(HttpExchange& exchange) {
  co_await exchange.begin_stream(200, {});
  co_await exchange.write("some");
  throw std::runtime_error("broken");
}

asio::steady_timer* held_back = nullptr;
std::atomic<bool> holding;

asio::awaitable<void> held(HttpExchange& exchange) {
  asio::steady_timer wake(exchange.loop().io, asio::steady_timer::time_point::max());
  held_back = &wake;
  holding = true;
  co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await exchange.respond({200, "text/plain", "done", {}});
}

struct Streaming : Served {
  Streaming() {
    streaming = gone = refused_writes = 0;
    holding = false;
    routes.add("GET", "/tail", tail);
    routes.add("GET", "/flood", late_interest);
    routes.add("GET", "/short", short_stream);
    routes.add("GET", "/breaks", breaks_off);
    routes.add("GET", "/held", held);
  }
};

constexpr std::string_view kTail = "GET /tail HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE("a stream's handler is told when its reader closes, resets, or the server stops") {
  Streaming served;
  const uint16_t port = served.start();
  {
    Peer peer(port);
    peer.send(kTail);
    CHECK(peer.until("line\n\r\n").find("Transfer-Encoding: chunked") != std::string::npos);
    REQUIRE(eventually([] { return streaming == 1; }));
  }
  CHECK(eventually([] { return gone == 1; }));

  Peer resetting(port);
  resetting.send(kTail);
  REQUIRE(eventually([] { return streaming == 2; }));
  resetting.reset();
  CHECK(eventually([] { return gone == 2; }));

  Peer halving(port);
  halving.send(kTail);
  REQUIRE(eventually([] { return streaming == 3; }));
  halving.half_close();
  CHECK(halving.rest().ends_with("4\r\nbye\n\r\n0\r\n\r\n"));
  CHECK(gone == 3);

  Peer stopped(port);
  stopped.send(kTail);
  REQUIRE(eventually([] { return streaming == 4; }));
  served.server->stop();
  CHECK(stopped.rest().ends_with("4\r\nbye\n\r\n0\r\n\r\n"));
  CHECK(stopped.ended());
  stopped.close();
  CHECK(gone == 4);
  CHECK(eventually([&] { return served.server->open() == 0; }));
}

TEST_CASE("a reader that takes nothing ends its stream") {
  Streaming served;
  served.limits.write = 100ms;
  Peer peer(served.start());
  peer.send("GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(eventually([] { return refused_writes == 1; }));
  CHECK(eventually([] { return gone == 1; }));  // asked for after the fact, and told all the same
  CHECK(eventually([&] { return served.server->open() == 0; }));
}

TEST_CASE("streams of other kinds: HEAD, HTTP/1.0, broken off, with requests behind them") {
  Streaming served;
  const uint16_t port = served.start();
  Peer peer(port);
  peer.send("HEAD /tail HTTP/1.1\r\nHost: h\r\n\r\nGET /short HTTP/1.1\r\nHost: h\r\n\r\nGET /short HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(peer.until("\r\n\r\n").find("chunked") != std::string::npos);
  for (int i = 0; i < 2; ++i) {
    CHECK(peer.until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(peer.until("0\r\n\r\n") == "4\r\nsome\r\n0\r\n\r\n");
  }
  // What comes during a stream waits behind it, as far as it is little.
  peer.send(kTail);
  REQUIRE(eventually([] { return streaming == 1; }));
  for (int i = 0; i < 100; ++i) peer.send("GET /short HTTP/1.1\r\nHost: " + std::string(500, 'h') + "\r\n\r\n");
  CHECK(gone == 0);
  peer.half_close();
  CHECK(peer.until("0\r\n\r\n").ends_with("bye\n\r\n0\r\n\r\n"));
  CHECK(gone == 1);

  Peer old(port);
  old.send("GET /short HTTP/1.0\r\n\r\n");
  const std::string text = old.rest();
  CHECK(text.ends_with("\r\n\r\nsome"));
  CHECK(text.find("Transfer-Encoding") == std::string::npos);

  Peer broken(port);
  broken.send("GET /breaks HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(broken.rest().ends_with("4\r\nsome\r\n"));  // no last chunk: the client can tell
}

TEST_CASE("stop() closes what idles and finishes what is in flight") {
  Streaming served;
  const uint16_t port = served.start();
  Peer idle(port), busy(port);
  idle.send("GET /short HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(idle.until("0\r\n\r\n").ends_with("0\r\n\r\n"));
  busy.send("GET /held HTTP/1.1\r\nHost: h\r\n\r\nGET /short HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(eventually([] { return holding.load(); }));
  served.server->stop();
  CHECK(idle.rest() == "");
  CHECK(idle.ended());
  CHECK(eventually([&] { return served.server->open() == 1; }));
  asio::post(held_back->get_executor(), [] { held_back->cancel(); });
  const auto answer = busy.answer();
  CHECK(answer.body == "done");
  CHECK(answer.head.find("Connection: close\r\n") != std::string::npos);
  CHECK(busy.rest() == "");
  CHECK(eventually([&] { return served.server->open() == 0; }));
}
