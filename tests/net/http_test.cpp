#include "net/http.h"

#include <doctest/doctest.h>

#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

asio::awaitable<void> nothing(HttpExchange&) { co_return; }

/// The pattern that a request finds, or the status of its refusal.
std::string found(const HttpRoutes& routes, const std::string& method, const std::string& target) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  auto result = routes.find(request);
  if (auto* response = std::get_if<HttpResponse>(&result))
    return std::to_string(response->status) + " " + std::string(response->headers.get("allow"));
  std::string text = std::get<const HttpRoutes::Route*>(result)->pattern;
  for (const auto& [name, value] : request.params) text += " " + name + "=" + value;
  return text;
}

}  // namespace

TEST_CASE("routes") {
  HttpRoutes routes;
  for (const auto* pattern : {"/", "/logs", "/v2/channels/:c", "/v2/channels/:c/drains/:d", "/v2/channels/mine"})
    routes.add("GET", pattern, nothing);
  routes.add("POST", "/logs", nothing);
  routes.add("DELETE", "/v2/channels/:c", nothing);
  routes.add("HEAD", "/v2/channels/mine", nothing);
  CHECK(found(routes, "GET", "/") == "/");
  CHECK(found(routes, "GET", "/?a=b") == "/");
  CHECK(found(routes, "POST", "/logs/?x=/y") == "/logs");
  CHECK(found(routes, "GET", "/%6cogs") == "/logs");
  CHECK(found(routes, "GET", "/v2/channels/7") == "/v2/channels/:c c=7");
  CHECK(found(routes, "GET", "/v2/channels/a%2Fb%20c/") == "/v2/channels/:c c=a/b c");
  CHECK(found(routes, "HEAD", "/v2/channels/7") == "/v2/channels/:c c=7");
  CHECK(found(routes, "GET", "/v2/channels/mine") == "/v2/channels/mine");
  CHECK(found(routes, "DELETE", "/v2/channels/mine") == "/v2/channels/:c c=mine");
  CHECK(found(routes, "GET", "/v2/channels/1/drains/d.x") == "/v2/channels/:c/drains/:d c=1 d=d.x");
  CHECK(found(routes, "PUT", "/logs") == "405 GET, HEAD, POST");
  CHECK(found(routes, "get", "/logs") == "405 GET, HEAD, POST");
  for (const std::string unknown : {"/log", "/logs/x", "//logs", "/logs//", "/v2/channels/", "/v2/channels//", "*", "/v2/channels/1/drains", ""})
    CHECK_MESSAGE(found(routes, "GET", unknown).starts_with(unknown.empty() ? "/" : "404"), unknown);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "/a";
  CHECK(found(routes, "GET", deep) == "404 ");
}

TEST_CASE("fields, queries, errors") {
  const HttpFields fields{{"A", "1"}, {"a", "2"}, {"B", ""}};
  CHECK(fields.get("a") == "1");
  CHECK(fields.get("c") == "");
  CHECK(fields.has("b"));
  CHECK_FALSE(fields.has("c"));
  HttpRequest request;
  request.target = "/x?a=1&b=%26+%2B&c&d=&a=2&%65=f";
  CHECK(request.path() == "/x");
  CHECK(request.query("a") == "1");
  CHECK(request.query("b") == "& +");
  CHECK(request.query("c") == "");
  CHECK(request.query("e") == "f");
  CHECK(request.query("zz") == "");
  const HttpResponse error = http_error(400, "bad \"\xff\"\n");
  CHECK(error.status == 400);
  CHECK(error.content_type == "application/json");
  CHECK(error.body == "{\"error\":\"bad \\\"\xef\xbf\xbd\\\"\\n\"}");
}

TEST_CASE("addresses to listen on") {
  CHECK(parse_endpoint("127.0.0.1:80")->address().to_string() == "127.0.0.1");
  CHECK(parse_endpoint("localhost:80")->address().is_loopback());
  CHECK(parse_endpoint(":8080")->address().to_string() == "0.0.0.0");
  CHECK(parse_endpoint(":8080")->port() == 8080);
  CHECK(parse_endpoint("[::1]:0")->address().to_string() == "::1");
  for (const std::string bad : {"", "80", "host", "host:80", "127.1:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                "127.0.0.1: 80", "::1:80", "[::1]80", "[127.0.0.1]:80", "[::1:80"})
    CHECK_MESSAGE(!parse_endpoint(bad), bad);
}

TEST_CASE("a listener: an address in use, connections spread, none after stop()") {
  EventLoops loops(2);
  std::mutex mutex;
  std::vector<size_t> taken(2);
  std::vector<std::pair<std::unique_ptr<Connected>, asio::ip::tcp::socket>> open;
  const auto take = [&](Loop& loop, asio::ip::tcp::socket socket) {
    const std::scoped_lock lock(mutex);
    ++taken[loop.index];
    open.emplace_back(std::make_unique<Connected>(loop), std::move(socket));
  };
  auto listener = *Listener::open(loops, *parse_endpoint("127.0.0.1:0"), take);
  CHECK_FALSE(Listener::open(loops, listener->endpoint(), take).has_value());
  loops.start();
  listener->start();
  std::vector<Peer> peers;
  for (int i = 0; i < 100; ++i) peers.emplace_back(listener->endpoint().port());
  CHECK(eventually([&] {
    const std::scoped_lock lock(mutex);
    return taken[0] + taken[1] == 100;
  }));
  CHECK(taken[0] >= 40);
  CHECK(taken[1] >= 40);
  listener->stop();
  listener->stop();
  const auto at = listener->endpoint();
  listener.reset();
  // The address is free again once the loop has closed it.
  CHECK(eventually([&] { return Listener::open(loops, at, take).has_value(); }));
  loops.stop();
  open.clear();
}
