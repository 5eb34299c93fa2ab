#include "net/client_tls.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/net/tls_peer.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

/// A client and a server over a pair of sockets, as far as they come: the client's error, or nothing.
std::string error_towards(const ClientTls& client, const std::string& host, const Certificate& server,
                          TlsReturn* back = nullptr, bool* resumed = nullptr) {
  const std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                    ::SSL_CTX_free);
  // What seals tickets is the same for all contexts made here.
  unsigned char keys[80] = {1, 2, 3};
  SSL_CTX_set_tlsext_ticket_keys(context.get(), keys, sizeof keys);
  SSL_CTX_use_certificate(context.get(), server.x509.get());
  SSL_CTX_use_PrivateKey(context.get(), server.key.get());
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  const std::unique_ptr<SSL, decltype(&::SSL_free)> far(SSL_new(context.get()), ::SSL_free);
  SSL_set_fd(far.get(), pair[1]);
  SSL_set_accept_state(far.get());
  TlsSocket ours(client.towards(host, ClientTls::Speaks::syslog, back ? *back : TlsReturn()), pair[0]);
  Io done = Io::again;
  for (int i = 0; i < 10 && done == Io::again; ++i) {
    done = ours.handshake();
    SSL_do_handshake(far.get());
  }
  char bytes[100];
  size_t count = 0;
  if (done == Io::ok) {
    SSL_do_handshake(far.get());
    CHECK(ours.read_some(bytes, count) == Io::again);  // tickets
    if (back) back->keep(ours);
    if (resumed) *resumed = ours.outcome() == Handshake::resumed;
  }
  CHECK((done == Io::ok || ours.certificate_failed()));
  ::close(pair[0]);
  ::close(pair[1]);
  return ours.error();
}

}  // namespace

TEST_CASE("what is wrong with a drain's own texts") {
  const Certificate authority = make_certificate({.name = "CA", .authority = true}),
                    ours = make_certificate({.name = "ours"}, &authority), other = make_certificate({});
  const std::string ca = pem(authority), cert = pem(ours), key = pem_key(ours);
  CHECK(client_tls_trouble("", "", "").empty());
  CHECK(client_tls_trouble(ca, "", "").empty());
  CHECK(client_tls_trouble(cert + "between\n" + ca, cert + ca, key).empty());
  const std::string bad_ca = "tls_ca: no certificate in PEM", bad_cert = "tls_cert: no certificate in PEM",
                    bad_key = "tls_key: no private key in PEM, or one with a passphrase";
  CHECK(client_tls_trouble("x", "", "") == bad_ca);
  CHECK(client_tls_trouble(key, "", "") == bad_ca);
  CHECK(client_tls_trouble(ca.substr(0, ca.size() / 2), "", "") == bad_ca);
  CHECK(client_tls_trouble(ca + cert.substr(0, cert.size() / 2), "", "") == bad_ca);
  CHECK(client_tls_trouble(std::string(300'000, 'x'), "", "") == "tls_ca: longer than 256K");
  CHECK(client_tls_trouble("", cert, "") == "tls_key: missing, and there is a tls_cert");
  CHECK(client_tls_trouble("", "", key) == "tls_cert: missing, and there is a tls_key");
  CHECK(client_tls_trouble("", "x", key) == bad_cert);
  CHECK(client_tls_trouble("", cert, "x") == bad_key);
  CHECK(client_tls_trouble("", cert, cert) == bad_key);
  CHECK(client_tls_trouble("", cert, pem_key(ours, "passphrase")) == bad_key);
  CHECK(client_tls_trouble("", cert, pem_key(other)) == "tls_key: does not match tls_cert");
  CHECK(client_tls_trouble("", ca + cert, key) == "tls_key: does not match tls_cert");
}

TEST_CASE("those who name the same authorities share a context, and nobody else's") {
  const Certificate one = make_certificate({.name = "one", .authority = true}),
                    two = make_certificate({.name = "two", .authority = true});
  const ClientTls standard;
  const ClientTls a = standard.with({pem(one), "", ""}), b = a.with({pem(one), "", ""}),
                  c = a.with({pem(two), "", ""}), d = a.with({});
  const auto context_of = [](const ClientTls& tls) {
    return SSL_get_SSL_CTX(tls.towards("localhost", ClientTls::Speaks::syslog).get());
  };
  CHECK(context_of(a) == context_of(b));
  CHECK(context_of(a) != context_of(c));
  CHECK(context_of(d) == context_of(standard));
  const ClientTls own = standard.with({"", pem(one), pem_key(one)});
  CHECK(context_of(own) != context_of(standard));
  CHECK(SSL_CTX_get_cert_store(context_of(own)) == SSL_CTX_get_cert_store(context_of(standard)));
}

TEST_CASE("pinned: an authority, an intermediate, a leaf or one that signed itself, and nobody else") {
  const Certificate root = make_certificate({.name = "root", .authority = true}),
                    middle = make_certificate({.name = "middle", .authority = true}, &root),
                    leaf = make_certificate({}, &middle), alone = make_certificate({}),
                    elsewhere = make_certificate({.name = "elsewhere.example"});
  const ClientTls standard;
  const auto error = [&](const Certificate& pinned, const Certificate& server) {
    return error_towards(standard.with({pem(pinned), "", ""}), "localhost", server);
  };
  CHECK(error(middle, leaf) == "");
  CHECK(error(leaf, leaf) == "");
  CHECK(error(alone, alone) == "");
  CHECK(error(root, leaf) == "unable to get local issuer certificate");  // the middle is not sent
  CHECK(error(leaf, alone) == "self-signed certificate");
  CHECK(error(elsewhere, elsewhere) == "host name mismatch");
  CHECK(error_towards(standard, "localhost", alone) == "self-signed certificate");
}

TEST_CASE("a far end is come back to with its session") {
  const Certificate alone = make_certificate({});
  const ClientTls tls = ClientTls().with({pem(alone), "", ""});
  TlsReturn back;
  bool resumed = true;
  CHECK(error_towards(tls, "localhost", alone, &back, &resumed) == "");
  CHECK_FALSE(resumed);
  for (int i = 0; i < 3; ++i) {
    CHECK(error_towards(tls, "localhost", alone, &back, &resumed) == "");
    CHECK(resumed);
  }
  back.forget();
  CHECK(error_towards(tls, "localhost", alone, &back, &resumed) == "");
  CHECK_FALSE(resumed);
}
