// The client against an ordinary server of another make, and against far ends that misbehave.
#include "net/http_client.h"

#include <httplib.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "net/http_parser.h"
#include "tests/net/certificates.h"
#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

struct Outcome {
  NetFailure failure;
  HttpAnswer answer;
  bool connected = false;
};

asio::awaitable<void> ask(HttpClient& client, std::string head, std::string body, Promised<Outcome>& out) {
  TextBody text(body);
  auto answer = co_await client.exchange(head, text);
  Outcome outcome;
  if (answer)
    outcome.answer = *answer;
  else
    outcome.failure = answer.error();
  outcome.connected = client.connected();
  out.set(outcome);
}

std::string post_head(size_t length) {
  return "POST /drain?x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// A client towards one loopback port, with short deadlines.
struct Client {
  explicit Client(uint16_t port, bool tls = false, std::string host = "127.0.0.1", const std::string& ca = {},
                  HttpClientLimits limits = {})
      : verify(ca), connector(loops, {*AddressPolicy::parse("127.0.0.0/8", ""), "", 5s}) {
    client =
        std::make_unique<HttpClient>(loops[0], connector, verify, Origin{tls, std::move(host), port}, limits);
    loops.start();
  }
  ~Client() { loops.stop(); }

  void begin(std::string body, Promised<Outcome>& out) {
    const std::string head = post_head(body.size());
    asio::co_spawn(loops[0].io, ask(*client, head, std::move(body), out), asio::detached);
  }
  Outcome post(std::string body = "hello") {
    Promised<Outcome> out;
    begin(std::move(body), out);
    return out.get();
  }

  EventLoops loops{1};
  ClientTls verify;
  Connector connector;
  std::unique_ptr<HttpClient> client;
};

/// What a far end says to each request in turn, each on a connection of its own.
Outcome outcome_of(const std::string& answer, HttpClientLimits limits = {}) {
  FarEnd far;
  std::thread server([&] {
    Peer peer = far.accept();
    peer.until("hello");
    peer.send(answer);
    peer.half_close();
    peer.rest();
  });
  Client client(far.port(), false, "127.0.0.1", {}, limits);
  const Outcome outcome = client.post();
  client.loops.stop();
  client.client.reset();
  server.join();
  return outcome;
}

}  // namespace

TEST_CASE("an ordinary server: answers, keep-alive, a new connection after it closed") {
  httplib::Server server;
  std::atomic<size_t> bytes{0};
  server.Post("/drain", [&](const httplib::Request& request, httplib::Response& response) {
    bytes += request.body.size();
    if (request.body == "later") {
      response.status = 503;
      response.set_header("Retry-After", "7");
    }
    response.set_content("thanks", "text/plain");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  server.set_keep_alive_max_count(3);
  std::thread thread([&] { server.listen_after_bind(); });
  {
    Client client(uint16_t(port), false);
    for (int i = 0; i < 10; ++i) {
      const Outcome outcome = client.post(std::string(size_t(i) * 100'000, 'x'));
      CHECK(outcome.failure.text == "");
      CHECK(outcome.answer.status == 200);
      CHECK(outcome.answer.retry_after == 0s);
    }
    CHECK(bytes == 4'500'000);
    const Outcome later = client.post("later");
    CHECK(later.answer.status == 503);
    CHECK(later.answer.retry_after == 7s);
  }
  server.stop();
  thread.join();
}

TEST_CASE("answers of every shape") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  struct Case {
    std::string answer;
    int status;
    bool connected;
  };
  for (const Case& c : std::vector<Case>{
           {ok + "Content-Length: 2\r\n\r\nok", 200, true},
           {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, true},
           {ok + "\r\nuntil the end", 200, false},
           {"HTTP/1.1 204 No Content\r\n\r\n", 204, true},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok +
                "Content-Length: 0\r\n\r\n",
            200, true},
           {ok + "Connection: close\r\nContent-Length: 0\r\n\r\n", 200, false},
           {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false},
           {ok + "Content-Length: 0\r\n\r\nHTTP/1.1 500 Extra\r\n\r\n", 200, false},
           {"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\nContent-Length: "
            "0\r\n\r\n",
            307, true},
           // Larger than what is read: the status counts, the connection goes.
           {"HTTP/1.1 413 No\r\nContent-Length: 1000000000\r\n\r\n", 413, false},
           {ok + "Content-Length: 70000\r\n\r\n" + std::string(70'000, 'x'), 200, false},
           {ok + "\r\n" + std::string(70'000, 'x'), 200, false},
           {ok + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + std::string(70'000, 'x'), 200, false},
       }) {
    const Outcome outcome = outcome_of(c.answer);
    CHECK_MESSAGE(outcome.failure.text == "", c.answer.substr(0, 80));
    CHECK_MESSAGE(outcome.answer.status == c.status, c.answer.substr(0, 80));
    CHECK_MESSAGE(outcome.connected == c.connected, c.answer.substr(0, 80));
  }
}

TEST_CASE("answers that are none") {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  std::string interim;
  for (int i = 0; i < 40; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& answer :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("HTTP/1.1 2x0 OK\r\n\r\n"),
        std::string("HTTP/2 200\r\n\r\n"), ok + "bad field\r\n\r\n", ok + "Content-Length: abc\r\n\r\n",
        ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ok + "Content-Length: 18446744073709551616\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ok + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        ok + "X: " + std::string(20'000, 'x') + "\r\n\r\n", ok + "X: " + std::string(200'000, 'x'),
        interim + ok + "\r\n", std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        std::string(100'000, 'x')}) {
    const Outcome outcome = outcome_of(answer);
    CHECK_MESSAGE(outcome.failure.code == NetErrc::bad_answer, answer.substr(0, 80));
    CHECK_MESSAGE(outcome.failure.text == "bad answer", answer.substr(0, 80));
    CHECK_FALSE(outcome.connected);
  }
  for (const std::string& answer :
       {std::string(), std::string("HTTP/1.1 20"), ok + "Content-Length: 5\r\n\r\nhel", ok + "Content-Len",
        ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        std::string("HTTP/1.1 100 Continue\r\n\r\n")}) {
    const Outcome outcome = outcome_of(answer);
    CHECK_MESSAGE(outcome.failure.code == NetErrc::closed, answer);
    CHECK_MESSAGE(outcome.failure.text == "closed by the far end", answer);
  }
}

TEST_CASE("an answer before the request is sent counts, closed or not") {
  const std::string early = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
  for (const bool resets : {false, true}) {
    FarEnd far;
    Promised<bool> answered;
    std::thread server([&] {
      Peer peer = far.accept();
      peer.until("\r\n\r\n");
      peer.send(early);
      if (resets) return;  // with unread bytes in it: a reset
      answered.wait();     // reads nothing
    });
    Client client(far.port());
    const Outcome outcome = client.post(std::string(32 << 20, 'x'));
    answered.set(true);
    server.join();
    // A reset can overtake the answer; then it is closed, never a wrong status.
    if (outcome.failure.code == NetErrc::ok)
      CHECK(outcome.answer.status == 413);
    else
      CHECK_MESSAGE((resets && outcome.failure.code == NetErrc::closed), outcome.failure.text);
    CHECK_FALSE(outcome.connected);
  }
}

TEST_CASE("deadlines are total, and close() ends a call") {
  HttpClientLimits limits;
  limits.request = 150ms;
  FarEnd far;
  std::atomic<bool> stop{false}, heard{false};
  std::thread server([&] {
    Peer silent = far.accept();
    Peer dripping = far.accept();
    dripping.until("hello");
    dripping.send("HTTP/1.1 200 OK\r\nX: ");
    while (!stop && dripping.send("x")) drip();
    Peer unanswered = far.accept();
    unanswered.until("hello");
    heard = true;
    unanswered.rest();
  });
  {
    Client client(far.port(), false, "127.0.0.1", {}, limits);
    CHECK(client.post().failure.text == "no answer within 150ms");
    CHECK(client.post().failure.code == NetErrc::timeout);
    stop = true;
  }
  Client client(far.port());
  Promised<Outcome> out;
  client.begin("hello", out);
  REQUIRE(eventually([&] { return heard.load(); }));
  asio::post(client.loops[0].io, [&] { client.client->close(); });
  CHECK(out.get().failure.code == NetErrc::stopped);
  server.join();
  far.close();
  CHECK(client.post().failure.code == NetErrc::connect);  // it can be used again; this far end is just gone
}

TEST_CASE("a keep-alive connection that the far end closed is replaced before it is used") {
  FarEnd far;
  std::atomic<int> closed{0};
  std::thread server([&] {
    for (int i = 0; i < 3; ++i) {
      Peer peer = far.accept();
      peer.until("hello");
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      peer.half_close();
      ++closed;
      peer.rest();
    }
  });
  Client client(far.port());
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = client.post();
    CHECK(outcome.failure.text == "");
    REQUIRE(eventually([&] { return closed == i + 1; }));
  }
  client.loops.stop();
  client.client.reset();
  server.join();
}

TEST_CASE("TLS: a good certificate works, each bad one is named") {
  const Certificate authority = make_certificate({.name = "Test CA", .authority = true});
  const PemFile ca(authority);
  const auto outcome_with = [&](CertificateOptions options, const std::string& host,
                                const Certificate* issuer) {
    const Certificate certificate = make_certificate(options, issuer);
    httplib::SSLServer server(certificate.x509.get(), certificate.key.get());
    std::string sni;
    server.Post("/drain",
                [](const httplib::Request&, httplib::Response& response) { response.status = 204; });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread thread([&] { server.listen_after_bind(); });
    Outcome outcome;
    {
      Client client(uint16_t(port), true, host, ca.path());
      outcome = client.post();
      if (outcome.failure.code == NetErrc::ok) outcome = client.post(std::string(300'000, 'x'));
    }
    server.stop();
    thread.join();
    return outcome;
  };
  CHECK(outcome_with({}, "localhost", &authority).answer.status == 204);
  CHECK(outcome_with({.name = "ip", .alternative = "IP:127.0.0.1"}, "127.0.0.1", &authority).answer.status ==
        204);
  const auto text = [&](CertificateOptions options, const std::string& host, const Certificate* issuer) {
    const Outcome outcome = outcome_with(std::move(options), host, issuer);
    CHECK(outcome.failure.code == NetErrc::certificate);
    CHECK_FALSE(outcome.connected);
    return outcome.failure.text;
  };
  CHECK(text({.name = "localhost", .from = -7200, .until = -3600}, "localhost", &authority) ==
        "tls: certificate has expired");
  CHECK(text({.name = "localhost", .from = 3600, .until = 7200}, "localhost", &authority) ==
        "tls: certificate is not yet valid");
  CHECK(text({.name = "other.example"}, "localhost", &authority) == "tls: host name mismatch");
  CHECK(text({.name = "localhost"}, "127.0.0.1", &authority) == "tls: host name mismatch");
  CHECK(text({.name = "localhost"}, "localhost", nullptr) == "tls: self-signed certificate");
  const Certificate stranger = make_certificate({.name = "Stranger", .authority = true});
  CHECK(text({.name = "localhost"}, "localhost", &stranger) == "tls: unable to get local issuer certificate");
}

TEST_CASE("TLS: far ends that speak none, an old one, or stall") {
  const Certificate authority = make_certificate({.name = "Test CA", .authority = true});
  const PemFile ca(authority);
  const auto failure_of = [&](auto&& play) {
    FarEnd far;
    std::thread server([&] {
      Peer peer = far.accept();
      play(peer);
    });
    HttpClientLimits limits;
    limits.handshake = 150ms;
    Outcome outcome;
    {
      Client client(far.port(), true, "localhost", ca.path(), limits);
      outcome = client.post();
    }
    server.join();
    CHECK(outcome.failure.code == NetErrc::handshake);
    return outcome.failure.text;
  };
  CHECK(failure_of([](Peer& peer) { peer.rest(); }) == "tls: no handshake within 150ms");
  CHECK(failure_of([](Peer& peer) { peer.more(); }) == "tls: closed by the far end");
  CHECK(failure_of([](Peer& peer) {
          peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
          peer.rest();
        }) == "tls: wrong version number");
  CHECK(failure_of([&](Peer& peer) {
          const Certificate certificate = make_certificate({}, &authority);
          const std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                            ::SSL_CTX_free);
          SSL_CTX_set_security_level(context.get(), 0);
          SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
          SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
          SSL_CTX_use_certificate(context.get(), certificate.x509.get());
          SSL_CTX_use_PrivateKey(context.get(), certificate.key.get());
          const std::unique_ptr<SSL, decltype(&::SSL_free)> ssl(SSL_new(context.get()), ::SSL_free);
          SSL_set_fd(ssl.get(), peer.fd());
          SSL_accept(ssl.get());
        }).find("protocol") != std::string::npos);
  CHECK_THROWS(ClientTls("/nonexistent/ca.pem"));
}

TEST_CASE("Retry-After in each form") {
  CHECK(parse_retry_after("7") == 7s);
  CHECK(parse_retry_after("99999999999999999999999") == 3600s);
  CHECK(parse_retry_after("86400") == 3600s);
  for (const std::string bad : {"", "-1", "+1", "1.5", "soon", "1 s", "Sun, 06 Nov 1994 08:49:37 GMT",
                                "Sun Nov  6 08:49:37 1994", "Sunday, 06-Nov-94 08:49:37 GMT"})
    CHECK_MESSAGE(parse_retry_after(bad) == 0s, bad);
  CHECK(parse_retry_after("Fri, 31 Dec 2100 23:59:59 GMT") == 3600s);
}
