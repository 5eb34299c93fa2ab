// What strangers send. Each request is answered once, or refused and closed; a neighbour never notices.
#include <atomic>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

std::atomic<int> handled;

asio::awaitable<void> echo(HttpExchange& exchange) {
  ++handled;
  std::string text = exchange.request.method + " " + exchange.request.target + " " + exchange.request.body;
  co_await exchange.respond({200, "text/plain", std::move(text), {}});
}

std::optional<HttpResponse> closed_gate(const HttpRequest&) {
  return http_error(401, "no");
}

void add_echo(Served& served) {
  handled = 0;
  for (const auto* method : {"GET", "POST"}) {
    served.routes.add(method, "/e", echo);
    served.routes.add(method, "/closed", echo, closed_gate);
  }
}

std::string post(std::string_view fields, std::string_view body) {
  return "POST /e HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("breaches of RFC 9112 are 400 and the end") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const std::string& bad : {
           post("Content-Length: 0\r\nContent-Length: 5\r\n", "hello"),
           post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
           post("Content-Length: 5, 5\r\n", "hello"),
           post("Content-Length: +5\r\n", "hello"),
           post("Content-Length: -5\r\n", "hello"),
           post("Content-Length: 0x5\r\n", "hello"),
           post("Content-Length: 5 5\r\n", "hello"),
           post("Content-Length: 1abc\r\n", "hello"),
           post("Content-Length:\r\n", ""),
           post("Content-Length: 18446744073709551616\r\n", ""),
           post("Content-Length : 5\r\n", "hello"),
           post(" Content-Length: 5\r\n", "hello"),
           post("X: a\r\n Content-Length: 5\r\n", "hello"),
           post("X:\r\n\tfolded\r\n", ""),
           post("Content-Length: 5\r\n" + chunked, "0\r\n\r\n"),
           post(chunked + "Content-Length: 5\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: identity\r\n", ""),
           post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
           post("Transfer-Encoding: \x0b"
                "chunked\r\n",
                "0\r\n\r\n"),
           post(chunked, "FFFFFFFFFFFFFFFFF\r\n"),
           post(chunked, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\r\n"),
           post(chunked, "-5\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "0x5\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "5\nhello\r\n0\r\n\r\n"),
           post(chunked, "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "5\r\nhelloX\r\n0\r\n\r\n"),
           post(chunked, "5 5\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "\r\n5\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n"),
           post(chunked, "5;" + std::string(100'000, 'a')),
           post(chunked, "0\r\nbad trailer\r\n\r\n"),
           std::string("POST /e HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
           std::string("GET /e HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a b\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a/b\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a@b\r\n\r\n"),
           std::string("GET http://other/e HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /e HTTP/1.1\nHost: a\n\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\0b\r\n\r\n", 30),
           std::string("GET  /e HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /e HTTP/1.1 \r\nHost: a\r\n\r\n"),
           std::string("GET /e\r\n\r\n"),
           std::string("GET e HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("G@T /e HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string(" GET /e HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /e\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\r\nna me: x\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
           std::string("GET /e HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
       }) {
    const std::string shown = bad.substr(0, 120);
    Peer peer(port);
    // A second request behind it: whoever disagrees about the end of the first would see it.
    peer.send(bad + "GET /e HTTP/1.1\r\nHost: smuggled\r\n\r\n");
    peer.half_close();
    const auto answer = peer.answer();
    CHECK_MESSAGE(answer.status == 400, shown);
    CHECK_MESSAGE(answer.head.find("Connection: close\r\n") != std::string::npos, shown);
    CHECK_MESSAGE(answer.body.starts_with("{\"error\":\""), shown);
    CHECK_MESSAGE(peer.rest() == "", shown);
    CHECK_MESSAGE(peer.ended(), shown);
  }
  CHECK(handled == 0);
  Peer peer(port);
  peer.send("GET /e HTTP/2.0\r\nHost: a\r\n\r\n");
  CHECK(peer.answer().status == 505);
}

TEST_CASE("what is unusual and allowed") {
  Served served;
  add_echo(served);
  Peer peer(served.start());
  const auto ask = [&](std::string_view request) {
    peer.send(request);
    return peer.answer().body;
  };
  CHECK(ask("GET http://H/e?x HTTP/1.1\r\nHost: h\r\n\r\n") == "GET /e?x ");
  CHECK(ask("\r\nGET /e HTTP/1.1\r\nhOST:h\r\nX:\r\nY: \t a \xff\t\r\n\r\n") == "GET /e ");
  CHECK(ask(post("Transfer-Encoding: CHUNKED\r\n",
                 "5;x=1;y=\"a;b\"\r\nhello\r\n00\r\nContent-Length-X: 9\r\n\r\n")) == "POST /e hello");
  CHECK(ask(post("Content-Length: 0005\r\n", "hello")) == "POST /e hello");
  CHECK(ask(post("", "")) == "POST /e ");
  // A GET's body: read, ignored, no request of its own.
  CHECK(ask("GET /e HTTP/1.1\r\nHost: h\r\nContent-Length: 33\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: "
            "h\r\n\r\n") == "GET /e ");
  CHECK(ask("GET /e HTTP/1.1\r\nHost: h\r\n\r\n") == "GET /e ");
  CHECK(handled == 7);
}

TEST_CASE("requests in one packet are answered in order, bytes in any pieces") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  std::string requests, expected;
  for (int i = 0; i < 300; ++i) {
    const std::string body(size_t(i * 7 % 500), char('a' + i % 26));
    if (i % 2)
      requests += post("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
    else if (body.empty())
      requests += post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
    else
      requests += post("Transfer-Encoding: chunked\r\n", [&] {
        char size[20];
        snprintf(size, sizeof size, "%zx\r\n", body.size());
        return size + body + "\r\n0\r\n\r\n";
      }());
    expected += "POST /e " + body + "\n";
  }
  Peer at_once(port);
  std::thread sender([&] { at_once.send(requests); });
  std::string got;
  for (int i = 0; i < 300; ++i) got += at_once.answer().body + "\n";
  sender.join();
  CHECK(got == expected);

  Peer by_byte(port);
  std::thread slow([&] {
    for (const char& c : requests.substr(0, 4000)) by_byte.send({&c, 1});
  });
  got.clear();
  while (got.size() < 1500) got += by_byte.answer().body + "\n";
  slow.join();
  CHECK(got == expected.substr(0, got.size()));
}

TEST_CASE("HTTP/1.0 and Connection: close") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  Peer old(port);
  old.send("GET /e HTTP/1.0\r\n\r\n");
  CHECK(old.answer().body == "GET /e ");
  CHECK(old.rest() == "");
  CHECK(old.ended());
  Peer kept(port);
  for (int i = 0; i < 3; ++i) {
    kept.send("GET /e HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto answer = kept.answer();
    CHECK(answer.body == "GET /e ");
    CHECK(answer.head.find("Connection: keep-alive\r\n") != std::string::npos);
  }
  Peer closing(port);
  closing.send("GET /e HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /e HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto answer = closing.answer();
  CHECK(answer.head.find("Connection: close\r\n") != std::string::npos);
  CHECK(closing.rest() == "");
  CHECK(closing.ended());
}

TEST_CASE("heads and bodies that are too large") {
  Served served;
  add_echo(served);
  served.limits.body_bytes = 100'000;
  const uint16_t port = served.start();
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "X: y\r\n";
  for (const std::string& request :
       {"GET /e HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n",
        "GET /e HTTP/1.1\r\nHost: h\r\nX: " + std::string(16'384, 'x') + "\r\n\r\n",
        "GET /" + std::string(20'000, 'x'),
        "GET /e HTTP/1.1\r\nHost: h\r\nX: " + std::string(200'000, 'x')}) {
    Peer peer(port);
    peer.send(request);
    CHECK(peer.answer().status == 431);
    peer.half_close();
    CHECK(peer.rest() == "");
    CHECK(peer.ended());
  }
  Peer declared(port);
  declared.send(post("Content-Length: 100001\r\n", std::string(100'001, 'x')));
  CHECK(declared.answer().status == 413);
  declared.half_close();
  CHECK(declared.rest() == "");
  CHECK(declared.ended());

  Peer growing(port);
  growing.send(post("Transfer-Encoding: chunked\r\n", ""));
  const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
  for (int i = 0; i < 120; ++i) growing.send(chunk);
  CHECK(growing.answer().status == 413);

  Peer just(port);
  just.send(post("Content-Length: 100000\r\n", std::string(100'000, 'x')));
  CHECK(just.answer().status == 200);
  CHECK(handled == 1);
}

TEST_CASE("deadlines are total: a byte now and then does not help") {
  Served served;
  add_echo(served);
  served.limits.head = 400ms;
  served.limits.body = 400ms;
  served.limits.idle = 400ms;
  const uint16_t port = served.start();
  const auto drip = [port](std::string_view start, std::string_view more) {
    Peer peer(port);
    peer.send(start);
    std::atomic<bool> stop{false};
    std::thread sender([&] {
      while (!stop && peer.send(more)) testing::drip();
    });
    const auto answer = peer.answer();
    stop = true;
    sender.join();
    return answer.status;
  };
  CHECK(drip("GET /e HTTP/1.1\r\nX: ", "x") == 408);
  CHECK(drip(post("Content-Length: 5000\r\n", ""), "x") == 408);
  CHECK(drip(post("Transfer-Encoding: chunked\r\n", ""), "1\r\nx\r\n") == 408);
  Peer silent(port);
  CHECK(silent.answer().status == 408);
  Peer idle(port);
  idle.send("GET /e HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(idle.answer().status == 200);
  CHECK(idle.rest() == "");
  CHECK(idle.ended());
  CHECK(eventually([&] { return served.server->open() == 0; }));
}

TEST_CASE("Expect: 100-continue is answered behind the gate") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  Peer peer(port);
  peer.send(post("Content-Length: 5\r\nExpect: 100-Continue\r\n", ""));
  CHECK(peer.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("hello");
  CHECK(peer.answer().body == "POST /e hello");
  peer.send(post("Content-Length: 5\r\nExpect: miracles\r\n", "hello"));
  CHECK(peer.answer().status == 417);

  Peer refused(port);
  refused.send("POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const auto answer = refused.answer();
  CHECK(answer.status == 401);
  CHECK(answer.head.find("Connection: close") != std::string::npos);
}

TEST_CASE("a gate answers before the body, and its answer arrives") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  // Whole in one packet: read over, and the connection goes on.
  Peer small(port);
  for (int i = 0; i < 3; ++i) {
    small.send("POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    const auto answer = small.answer();
    CHECK(answer.status == 401);
    CHECK(answer.head.find("Connection: close") == std::string::npos);
  }
  // Still coming: answered, half-closed, read on, never reset.
  Peer large(port);
  large.send("POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n\r\n");
  CHECK(large.send(std::string(8'000'000, 'x')));
  CHECK(large.answer().status == 401);
  CHECK(large.rest() == "");
  CHECK(large.ended());
  CHECK(handled == 0);
}

TEST_CASE("bodies in flight take from the budget and give back") {
  Served served;
  add_echo(served);
  Budget tight(10'000);
  served.limits.body_bytes = 100'000;
  served.server = std::make_unique<HttpServer>(served.routes, tight, served.limits);
  auto listener =
      *Listener::open(served.loops, *parse_endpoint("127.0.0.1:0"),
                      [&](Loop& loop, asio::ip::tcp::socket s) { served.server->serve(loop, std::move(s)); });
  served.loops.start();
  listener->start();
  const uint16_t port = listener->endpoint().port();
  {
    Peer holder(port);
    holder.send(post("Content-Length: 8000\r\n", "x"));
    REQUIRE(eventually([&] { return tight.used() == 8000; }));
    Peer declared(port);
    declared.send(post("Content-Length: 3000\r\n", ""));
    const auto answer = declared.answer();
    CHECK(answer.status == 503);
    CHECK(answer.head.find("Retry-After: 1\r\n") != std::string::npos);
    Peer growing(port);
    growing.send(post("Transfer-Encoding: chunked\r\n", "7d0\r\n" + std::string(2000, 'x') + "\r\n"));
    REQUIRE(eventually([&] { return tight.used() == 10'000; }));
    growing.send("1\r\nx\r\n");
    CHECK(growing.answer().status == 503);
    holder.send(std::string(7999, 'y'));
    CHECK(holder.answer().status == 200);
  }
  CHECK(eventually([&] { return tight.used() == 0; }));
  listener->stop();
  served.server->stop();
  CHECK(eventually([&] { return served.server->open() == 0; }));
  served.loops.stop();
}

TEST_CASE("hundreds of slow heads cost a neighbour nothing") {
  Served served;
  add_echo(served);
  const uint16_t port = served.start();
  std::vector<Peer> slow;
  for (int i = 0; i < 400; ++i) {
    slow.emplace_back(port);
    slow.back().send("GET /e HTTP/1.1\r\nX: ");
  }
  Peer peer(port);
  for (int i = 0; i < 50; ++i) {
    for (auto& s : slow) s.send("x");
    peer.send("GET /e HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(peer.answer().status == 200);
  }
  CHECK(served.server->open() == 401);
}
