#include "net/http_server.h"

#include <httplib.h>

#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

asio::awaitable<void> hello(HttpExchange& exchange) {
  co_await exchange.respond({200, "text/plain", "hello", {}});
}

asio::awaitable<void> echo(HttpExchange& exchange) {
  co_await exchange.respond({200, "text/plain", std::move(exchange.request.body), {}});
}

asio::awaitable<void> no_content(HttpExchange& exchange) {
  co_await exchange.respond({204, "", "unseen", {}});
}

asio::awaitable<void> three_pieces(HttpExchange& exchange) {
  HttpFields headers;
  headers.add("Content-Type", "text/plain");
  co_await exchange.begin_stream(200, std::move(headers));
  co_await exchange.write("one ");
  co_await exchange.write("two ");
  co_await exchange.write("three");
}

asio::awaitable<void> nothing(HttpExchange&) {
  co_return;
}

asio::awaitable<void> throwing(HttpExchange&) {
  throw std::runtime_error("t.secret");
  co_return;
}

asio::awaitable<void> channel(HttpExchange& exchange) {
  const HttpRequest& r = exchange.request;
  co_await exchange.respond({200, "text/plain", std::string(r.param("c")) + "|" + r.query("q"), {}});
}

void add_ordinary(HttpRoutes& routes) {
  routes.add("GET", "/", hello);
  routes.add("GET", "/hello", hello);
  routes.add("POST", "/echo", echo);
  routes.add("GET", "/echo", echo);
  routes.add("POST", "/none", no_content);
  routes.add("GET", "/stream", three_pieces);
  routes.add("GET", "/nothing", nothing);
  routes.add("GET", "/throwing", throwing);
  routes.add("GET", "/channels/:c", channel);
}

}  // namespace

TEST_CASE("an independent client gets answers, streams, errors and keep-alive") {
  Served served;
  add_ordinary(served.routes);
  httplib::Client client("127.0.0.1", served.start());
  client.set_keep_alive(true);

  auto got = client.Get("/hello");
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->body == "hello");
  CHECK(client.Get("/hello/")->body == "hello");
  CHECK(client.Get("/")->body == "hello");

  got = client.Head("/hello");
  CHECK(got->status == 200);
  CHECK(got->get_header_value("Content-Length") == "5");
  CHECK(got->body.empty());

  const std::string large(3 << 20, 'x');
  CHECK(client.Post("/echo", large, "text/plain")->body == large);
  got = client.Post("/none", "abc", "text/plain");
  CHECK(got->status == 204);
  CHECK_FALSE(got->has_header("Content-Length"));

  got = client.Get("/stream");
  CHECK(got->body == "one two three");
  CHECK(got->get_header_value("Transfer-Encoding") == "chunked");

  got = client.Get("/nowhere");
  CHECK(got->status == 404);
  CHECK(got->body == R"({"error":"not found"})");
  got = client.Delete("/echo");
  CHECK(got->status == 405);
  CHECK(got->get_header_value("Allow") == "POST, GET, HEAD");

  CHECK(client.Get("/nothing")->status == 500);
  got = client.Get("/throwing");
  CHECK(got->status == 500);
  CHECK(got->body.find("secret") == std::string::npos);
  CHECK(client.Get("/channels/a%2Fb?x=1&q=1%202%2B3")->body == "a/b|1 2+3");
}
