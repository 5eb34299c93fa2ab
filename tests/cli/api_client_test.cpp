#include "cli/api_client.h"
#include "tests/eventually.h"

#include <doctest/doctest.h>
#include <httplib.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <thread>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

// An HTTP server that nobody here wrote.
struct Peer {
  httplib::Server server;
  int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread;
  void start() {
    thread = std::thread([this] { server.listen_after_bind(); });
  }
  ~Peer() {
    while (!server.is_running()) std::this_thread::yield();
    server.stop();
    thread.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }
};

}  // namespace

TEST_CASE("answers, failures and their exit codes") {
  Peer peer;
  peer.server.Get("/ok", [](const httplib::Request& q, httplib::Response& r) {
    r.set_content(q.get_header_value("Authorization"), "text/plain");
  });
  peer.server.Get(R"(/status/(\d+))", [](const httplib::Request& q, httplib::Response& r) {
    r.status = std::stoi(q.matches[1]);
    r.set_content(R"({"error":"because"})", "application/json");
  });
  peer.server.Post("/echo", [](const httplib::Request& q, httplib::Response& r) {
    r.set_content(q.get_header_value("Content-Type") + "|" + q.get_header_value("X-A") + "|" + q.body,
                  "text/plain");
  });
  peer.server.Post("/nothing", [](const httplib::Request&, httplib::Response& r) { r.status = 204; });
  peer.server.Get("/big", [](const httplib::Request&, httplib::Response& r) {
    r.set_content(std::string(100'000, 'x'), "text/plain");
  });
  peer.start();

  ApiClient api({.url = peer.url(), .auth = "u:p", .deadline = 10s, .body_cap = 10'000});
  CHECK(api.get("/ok").value().body == "Basic dTpw");
  CHECK(api.post("/echo", "body", "application/json", {{"X-A", "b"}}).value().body ==
        "application/json|b|body");
  CHECK(api.post("/nothing", "", "text/plain").value().status == 204);
  CHECK(api.get("/status/401").error().exit_code == exit_unauthorised);
  CHECK(api.get("/status/403").error().exit_code == exit_unauthorised);
  CHECK(api.get("/status/404").error().exit_code == exit_not_found);
  CHECK(api.get("/status/503").error().exit_code == exit_failure);
  CHECK(api.get("/status/503").error().status == 503);
  CHECK(api.get("/status/422").error().text == peer.url() + "/status/422: 422 because");
  CHECK(api.get("/big").error().text == peer.url() + "/big: the answer is too large");
}

TEST_CASE("nobody there: unreachable") {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor taken(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const auto port = taken.local_endpoint().port();
  taken.close();
  ApiClient api({.url = "http://127.0.0.1:" + std::to_string(port), .auth = {}});
  CHECK(api.get("/").error().exit_code == exit_unreachable);
}

TEST_CASE("the deadline is for the whole answer, not for each read") {
  boost::asio::io_context io;
  using boost::asio::ip::tcp;
  tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::thread drip([&] {
    tcp::socket socket = acceptor.accept();
    boost::system::error_code failed;
    boost::asio::write(socket, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\nX: ")), failed);
    // A byte at a time for as long as the client stays.
    while (!failed) {
      boost::asio::write(socket, boost::asio::buffer("y", 1), failed);
      testing::drip();
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  ApiClient api({.url = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()),
                 .auth = {},
                 .deadline = 300ms});
  const auto answer = api.get("/");
  const auto took = std::chrono::steady_clock::now() - begin;
  drip.join();
  CHECK(answer.error().exit_code == exit_unreachable);
  CHECK(answer.error().text.ends_with("no whole answer within 300ms"));
  CHECK(took >= 300ms);
  CHECK(took < 20s);
}

TEST_CASE("a stream: chunks until the reader has enough") {
  Peer peer;
  peer.server.Get("/tail", [](const httplib::Request&, httplib::Response& r) {
    r.set_header("X-Heroku-Warning", "mind");
    r.set_chunked_content_provider("text/plain",
                                   [](size_t, httplib::DataSink& sink) { return sink.write("line\n", 5); });
  });
  peer.server.Get("/gone", [](const httplib::Request&, httplib::Response& r) { r.status = 404; });
  peer.start();
  ApiClient api({.url = peer.url(), .auth = {}});
  std::string got, warning;
  ApiClient::Streaming streaming;
  streaming.begun = [&](const ApiAnswer& head) { warning = head.warning + std::to_string(got.size()); };
  streaming.chunk = [&](std::string_view chunk) {
    got += chunk;
    return got.size() < 50;
  };
  const auto answer = api.stream("/tail", streaming);
  CHECK(answer.has_value());
  CHECK(warning == "mind0");
  CHECK(got.starts_with("line\nline\n"));
  CHECK(api.stream("/gone", streaming).error().exit_code == exit_not_found);
}

TEST_CASE("URLs are split as they are written") {
  const auto url = split_http_url("http://u%40x:p@host:81/a/b?c=d#e");
  REQUIRE(url);
  CHECK(url->origin == "http://host:81");
  CHECK(url->target == "/a/b?c=d");
  CHECK(url->user == "u@x");
  CHECK(url->password == "p");
  CHECK(split_http_url("https://host")->target == "/");
  CHECK(split_http_url("https://host?x=1")->target == "/?x=1");
  for (const char* bad : {"", "host", "ftp://h", "http://", "http:///x", "http://a b", "http://:80"}) {
    CAPTURE(bad);
    CHECK_FALSE(split_http_url(bad));
  }
  CHECK(percent_encoded("a b/ü") == "a%20b%2F%C3%BC");
}
