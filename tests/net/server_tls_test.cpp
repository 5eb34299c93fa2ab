// The server's TLS against clients of other makes: OpenSSL itself, and cpp-httplib.
#include "net/server_tls.h"

#include <httplib.h>

#include <atomic>
#include <thread>

#include "tests/net/tls_peer.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

asio::awaitable<void> hello(HttpExchange& exchange) {
  co_await exchange.respond({200, "text/plain", "hello", {}});
}

asio::awaitable<void> echo(HttpExchange& exchange) {
  co_await exchange.respond({200, "text/plain", std::move(exchange.request.body), {}});
}

asio::awaitable<void> stream(HttpExchange& exchange) {
  HttpFields headers;
  co_await exchange.begin_stream(200, std::move(headers));
  const std::string piece(100'000, 's');
  for (int i = 0; i < 30; ++i) co_await exchange.write(piece);
}

const Certificate& authority() {
  static const Certificate made = make_certificate({.name = "Test CA", .authority = true});
  return made;
}

Certificate leaf(const std::string& name) {
  return make_certificate({.name = name, .alternative = "DNS:localhost"}, &authority());
}

/// A server on its folder of files.
struct TlsServed {
  explicit TlsServed(bool mutual = false, HttpLimits limits = {}) : folder(leaf("first")) {
    folder.write("ca.pem", pem(authority()));
    std::string error;
    tls = ServerTls::open(folder.files(mutual), error);
    REQUIRE_MESSAGE(tls, error);
    http.limits = limits;
    http.routes.add("GET", "/hello", hello);
    http.routes.add("POST", "/echo", echo);
    http.routes.add("GET", "/stream", stream);
    port = http.start(tls.get());
  }
  std::string reload() {
    std::string error;
    const bool good = tls->reload(error);
    CHECK(good == error.empty());
    return error;
  }
  uint64_t count(Handshake how) const { return http.server->handshakes().of(how); }
  bool comes_to(Handshake how, uint64_t n = 1) const {
    return eventually([&] { return count(how) == n; });
  }

  TlsFolder folder;
  std::unique_ptr<ServerTls> tls;
  Served http;
  uint16_t port = 0;
};

}  // namespace

TEST_CASE("HTTPS with an independent client: verified, keep-alive, large bodies, streams") {
  TlsServed served;
  const PemFile ca(authority());
  httplib::SSLClient client("localhost", served.port);
  client.set_ca_cert_path(ca.path().c_str());
  client.enable_server_certificate_verification(true);
  client.set_keep_alive(true);
  for (int i = 0; i < 3; ++i) {
    const auto got = client.Get("/hello");
    REQUIRE(got);
    CHECK(got->body == "hello");
  }
  std::string large(5 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 997) large[i] = char('a' + i % 26);
  CHECK(client.Post("/echo", large, "text/plain")->body == large);
  CHECK(client.Get("/stream")->body == std::string(3'000'000, 's'));
  CHECK(served.count(Handshake::full) == 1);
  CHECK(served.http.server->answered(200) == 5);
}

TEST_CASE("TLS 1.2 and 1.3, nothing older; what is chosen first") {
  TlsServed served;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(served.port, {.least = version, .most = version, .authority = &authority()});
    CHECK(peer.get() == "hello");
    CHECK(SSL_version(peer.ssl()) == version);
    CHECK(SSL_get_negotiated_group(peer.ssl()) == NID_X25519);
  }
  // The server's order counts, not the client's.
  TlsPeer ordered(served.port, {.most = TLS1_2_VERSION,
                                .groups = "P-384:P-256:X25519",
                                .ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"});
  CHECK(ordered.get() == "hello");
  CHECK(std::string(SSL_get_cipher(ordered.ssl())) == "ECDHE-ECDSA-AES128-GCM-SHA256");
  CHECK(SSL_get_negotiated_group(ordered.ssl()) == NID_X25519);
  for (const char* group : {"P-256", "P-384"})
    CHECK(TlsPeer(served.port, {.groups = group}).get() == "hello");
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION})
    CHECK(TlsPeer(served.port, {.least = version, .most = version}).error() ==
          "tlsv1 alert protocol version");
  CHECK_FALSE(TlsPeer(served.port, {.groups = "P-521"}).shaken());
  CHECK_FALSE(TlsPeer(served.port, {.most = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA"}).shaken());
  CHECK(served.comes_to(Handshake::protocol, 4));
}

TEST_CASE("resumption by ticket, over a new certificate, not over a new server") {
  TlsServed served;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsOffer offer{.least = version, .most = version};
    TlsPeer first(served.port, offer);
    CHECK(first.get() == "hello");
    CHECK_FALSE(first.resumed());
    REQUIRE(first.session());
    CHECK(SSL_SESSION_has_ticket(first.session().get()));
    CHECK(SSL_SESSION_get_max_early_data(first.session().get()) == 0);

    offer.resume = first.session();
    TlsPeer second(served.port, offer);
    CHECK(second.get() == "hello");
    CHECK(second.resumed());

    served.folder.put(leaf("second"));
    CHECK(served.reload() == "");
    CHECK(bool(second.session()) == (version == TLS1_3_VERSION));  // TLS 1.2 goes on with its first
    if (second.session()) offer.resume = second.session();
    CHECK(TlsPeer(served.port, offer).resumed());

    TlsServed other;
    TlsPeer elsewhere(other.port, offer);
    CHECK(elsewhere.get() == "hello");
    CHECK_FALSE(elsewhere.resumed());
  }
  CHECK(served.count(Handshake::full) == 2);
  CHECK(served.count(Handshake::resumed) == 4);
}

TEST_CASE("no TLS 1.3 ticket goes to a peer that never reads") {
  TlsFolder folder(leaf("first"));
  std::string error;
  const auto tls = ServerTls::open(folder.files(), error);
  CHECK(SSL_get_num_tickets(tls->session(false).get()) == 0);
  CHECK(SSL_get_num_tickets(tls->session(true).get()) == 1);
}

TEST_CASE("a new certificate is for new connections; old ones go on") {
  TlsServed served;
  TlsPeer before(served.port);
  CHECK(before.subject() == "first");
  CHECK(before.get() == "hello");
  served.folder.put(leaf("second"));
  CHECK(TlsPeer(served.port).subject() == "first");  // files are read when told to
  CHECK(served.reload() == "");
  CHECK(TlsPeer(served.port).subject() == "second");
  CHECK(before.get() == "hello");
}

TEST_CASE("certificates are read again while connections come") {
  TlsServed served;
  std::atomic<bool> done{false};
  std::thread peers([&] {
    TlsOffer offer;
    for (int i = 0; i < 60; ++i) {
      TlsPeer peer(served.port, offer);
      CHECK(peer.get() == "hello");
      CHECK(peer.resumed() == (i % 2 == 1));
      offer.resume = i % 2 == 0 ? peer.session() : nullptr;
    }
    done = true;
  });
  while (!done) CHECK(served.reload() == "");
  peers.join();
}

TEST_CASE("a bad file is named, and everything stays as it was") {
  TlsServed served(true);
  const Certificate client = leaf("client");
  const TlsOffer offer{.certificate = &client};
  const auto kept = [&](const std::string& error) {
    CHECK(served.reload() == error);
    TlsPeer peer(served.port, offer);
    CHECK(peer.subject() == "first");
    CHECK(peer.get() == "hello");
  };
  const std::string cert = "TAILRACE_TLS_CERT=" + served.folder.path("cert.pem") + ": ";
  const std::string key = "TAILRACE_TLS_KEY=" + served.folder.path("key.pem") + ": ";
  const std::string ca = "TAILRACE_TLS_CLIENT_CA=" + served.folder.path("ca.pem") + ": ";
  const Certificate second = leaf("second");

  served.folder.write("cert.pem", pem(second));
  kept(key + "key values mismatch");
  served.folder.write("cert.pem", "garbage\n");
  kept(cert + "no start line");
  served.folder.write("cert.pem", pem(second).substr(0, 300));
  kept(cert + "bad end line");
  std::filesystem::remove(served.folder.path("cert.pem"));
  kept(cert + "No such file or directory");

  served.folder.put(second);
  served.folder.write("key.pem", "");
  kept(key + "unsupported");
  served.folder.write("key.pem", pem_key(second, "passphrase"));
  kept(key + "interrupted or cancelled");
  std::filesystem::remove(served.folder.path("key.pem"));
  kept(key + "No such file or directory");

  served.folder.put(second);
  served.folder.write("ca.pem", "garbage\n");
  kept(ca + "no start line");
  std::filesystem::remove(served.folder.path("ca.pem"));
  kept(ca + "No such file or directory");

  served.folder.write("ca.pem", pem(authority()));
  CHECK(served.reload() == "");
  CHECK(TlsPeer(served.port, offer).subject() == "second");

  std::string error;
  CHECK_FALSE(ServerTls::open({served.folder.path("none"), served.folder.path("key.pem"), ""}, error));
  CHECK(error == "TAILRACE_TLS_CERT=" + served.folder.path("none") + ": No such file or directory");
}

TEST_CASE("mutual TLS: who shows no good certificate is told so and counted") {
  TlsServed served(true);
  const Certificate good = leaf("client"),
                    expired = make_certificate({.from = -7200, .until = -3600}, &authority());
  const Certificate strange = make_certificate({.name = "stranger"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto answer = [&](const Certificate* certificate) {
      TlsPeer peer(served.port, {.least = version, .most = version, .certificate = certificate});
      return peer.get();
    };
    CHECK(answer(&good) == "hello");
    CHECK(answer(nullptr) == (version == TLS1_3_VERSION ? "tlsv13 alert certificate required"
                                                        : "sslv3 alert handshake failure"));
    CHECK(answer(&expired) == "sslv3 alert certificate expired");
    CHECK(answer(&strange) == "tlsv1 alert unknown ca");
  }
  CHECK(served.comes_to(Handshake::full, 2));
  CHECK(served.comes_to(Handshake::no_certificate, 2));
  CHECK(served.comes_to(Handshake::bad_certificate, 4));
}

TEST_CASE("a ticket carries the client's certificate, and is void when the authorities change") {
  TlsServed served(true);
  const Certificate good = leaf("client");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    TlsOffer offer{.least = version, .most = version, .certificate = &good};
    TlsPeer first(served.port, offer);
    CHECK(first.get() == "hello");
    offer.resume = first.session();
    CHECK(served.reload() == "");
    TlsPeer second(served.port, offer);
    CHECK(second.get() == "hello");
    CHECK(second.resumed());
    if (second.session()) offer.resume = second.session();

    const Certificate other = make_certificate({.name = "Other CA", .authority = true});
    served.folder.write("ca.pem", pem(other));
    CHECK(served.reload() == "");
    TlsPeer third(served.port, offer);
    CHECK(third.get() == "tlsv1 alert unknown ca");
    CHECK_FALSE(third.resumed());
    served.folder.write("ca.pem", pem(authority()));
    CHECK(served.reload() == "");
  }
}

TEST_CASE("peers that speak no TLS, go away, or do not like us fail fast, and are counted") {
  TlsServed served;
  Peer plain(served.port);
  plain.send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(plain.rest().find("HTTP") == std::string::npos);
  CHECK(plain.ended());
  Peer noise(served.port);
  noise.send(std::string(100'000, '\xff'));
  noise.rest();
  CHECK(served.comes_to(Handshake::protocol, 2));

  Peer(served.port).half_close();
  Peer(served.port).reset();
  CHECK(served.comes_to(Handshake::closed, 2));

  const Certificate stranger = make_certificate({.name = "Stranger", .authority = true});
  CHECK(TlsPeer(served.port, {.authority = &stranger}).error() == "certificate verify failed");
  CHECK(served.comes_to(Handshake::refused));
  CHECK(served.count(Handshake::full) == 0);
  CHECK(eventually([&] { return served.http.server->open() == 0; }));
  CHECK(TlsPeer(served.port).get() == "hello");
}

TEST_CASE(
    "a handshake has its deadline, however its bytes drip, and one that is whole leaves the rest for the "
    "head") {
  HttpLimits limits;
  limits.head = 200ms;
  TlsServed served(false, limits);
  Peer silent(served.port);
  CHECK(silent.rest() == "");
  CHECK(silent.ended());
  Peer dripping(served.port);
  dripping.send("\x16\x03\x01\x02");
  while (dripping.send("\x01") && ::recv(dripping.fd(), nullptr, 0, MSG_DONTWAIT) != 0) drip();
  CHECK(served.comes_to(Handshake::deadline, 2));
  TlsPeer shaken(served.port);
  CHECK(shaken.until("\r\n").starts_with("HTTP/1.1 408 "));
  CHECK(served.http.server->answered(408) == 1);
}

TEST_CASE("the end of the server ends handshakes and idle connections, with a close_notify") {
  TlsServed served;
  TlsPeer idle(served.port);
  CHECK(idle.get() == "hello");
  Peer begun(served.port);
  begun.send("\x16");
  CHECK(eventually([&] { return served.http.server->open() == 2; }));
  served.http.server->stop();
  CHECK(idle.until("x") == "");
  CHECK(idle.error() == "");
  CHECK((SSL_get_shutdown(idle.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0);
  begun.rest();
  CHECK(eventually([&] { return served.http.server->open() == 0; }));
}
