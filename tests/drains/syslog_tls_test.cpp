// Syslog drains over TLS against OpenSSL's own server, blocking, which says more than a receiver needs to.

#include <openssl/ssl.h>

#include <thread>

#include "tests/drains/drain_fixture.h"
#include "tests/drains/syslog_far_end.h"
#include "tests/net/tls_peer.h"

using namespace tailrace;
using tailrace::testing::Certificate;
using tailrace::testing::eventually;
using tailrace::testing::make_certificate;
using tailrace::testing::PemFile;
using tailrace::testing::SyslogFarEnd;

namespace {

/// The far end's side of one connection.
class Served {
 public:
  Served(SSL_CTX* context, int fd) : ssl_(SSL_new(context), ::SSL_free), fd_(fd) {
    SSL_set_fd(ssl_.get(), fd);
    shaken = SSL_accept(ssl_.get()) == 1;
  }
  Served(const Served&) = delete;
  ~Served() { ::close(fd_); }

  /// Whole frames until `n` of them are there, or the end; their messages.
  std::vector<std::string> messages(size_t n) {
    std::vector<std::string> all;
    char bytes[16384];
    while (all.size() < n) {
      const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (got <= 0) break;
      held_.append(bytes, size_t(got));
      for (size_t blank; (blank = held_.find(' ')) != held_.npos;) {
        const size_t size = std::stoul(held_.substr(0, blank));
        if (held_.size() < blank + 1 + size) break;
        const std::string frame = held_.substr(blank + 1, size);
        held_.erase(0, blank + 1 + size);
        all.push_back(frame.substr(frame.rfind(' ') + 1, frame.size() - frame.rfind(' ') - 2));
      }
    }
    return all;
  }
  bool ended_in_order() {
    char byte;
    return held_.empty() && SSL_read(ssl_.get(), &byte, 1) <= 0 &&
           SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN;
  }
  SSL* ssl() { return ssl_.get(); }
  int fd() const { return fd_; }
  bool shaken = false;

 private:
  std::unique_ptr<SSL, decltype(&::SSL_free)> ssl_;
  int fd_;
  std::string held_;
};

struct TlsFixture {
  explicit TlsFixture(SyslogLimits limits = {}, int version = TLS1_3_VERSION)
      : f(LogLimits{.history = 10, .bytes = 64u << 20}, limits, ca.path()) {
    ::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_use_certificate(context.get(), certificate.x509.get());
    SSL_CTX_use_PrivateKey(context.get(), certificate.key.get());
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
  }
  std::string url(const SyslogFarEnd& far_end) const {
    return "syslog+tls://localhost:" + std::to_string(far_end.port);
  }

  const Certificate authority = make_certificate({.name = "Test CA", .authority = true});
  const PemFile ca{authority};
  const Certificate certificate = make_certificate({}, &authority);
  const std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()),
                                                                    ::SSL_CTX_free};
  DrainFixture f;
};

}  // namespace

TEST_CASE("TLS: the far end's tickets and KeyUpdates are read, and answered, while records flow") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsFixture t({}, version);
    SyslogFarEnd far_end;
    const DrainEntry drain = t.f.add(t.url(far_end));
    t.f.append(0, 10);
    Served served(t.context.get(), far_end.accept());
    REQUIRE(served.shaken);
    CHECK(served.messages(10) == numbered(0, 10));
    for (int i = 10; i < 1000; i += 10) {
      if (version == TLS1_3_VERSION) {
        REQUIRE(SSL_key_update(served.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
        REQUIRE(SSL_do_handshake(served.ssl()) == 1);
        if (i % 100 == 0) REQUIRE(SSL_new_session_ticket(served.ssl()) == 1);
      }
      t.f.append(i, 10);
      CHECK(served.messages(10) == numbered(i, 10));
    }
    REQUIRE(t.f.settled(drain));
    CHECK(t.f.account(drain).ledger.delivered == 1000);
    CHECK(t.f.notices().empty());
    REQUIRE(t.f.catalog.remove_drain("1", drain.id).has_value());
    CHECK(served.ended_in_order());
  }
}

TEST_CASE("TLS: delivered means acknowledged; what a broken connection had not acknowledged comes again") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsFixture t({}, version);
    SyslogFarEnd far_end(0, 32 << 10);
    const DrainEntry drain = t.f.add(t.url(far_end));
    constexpr int kRecords = 20'000;
    for (int i = 0; i < kRecords; i += 100) t.f.append(i, 100);
    {
      Served first(t.context.get(), far_end.accept());
      REQUIRE(first.shaken);
      CHECK(first.messages(500).size() >= 500);
      CHECK(t.f.account(drain).ledger.delivered < kRecords);
      const linger now{1, 0};
      ::setsockopt(first.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    Served second(t.context.get(), far_end.accept());
    REQUIRE(second.shaken);
    CHECK(SSL_session_reused(second.ssl()) == 1);
    std::vector<std::string> after;
    while (after.empty() || after.back() != "m" + std::to_string(kRecords - 1)) {
      const auto more = second.messages(1);
      REQUIRE_FALSE(more.empty());
      after.insert(after.end(), more.begin(), more.end());
    }
    CHECK(after == numbered(kRecords - int(after.size()), int(after.size())));
    REQUIRE(t.f.settled(drain));
    CHECK(t.f.account(drain).ledger.delivered == kRecords);
  }
}

TEST_CASE("TLS: an idle connection is ended in order") {
  using namespace std::chrono_literals;
  SyslogLimits limits;
  limits.idle = 20ms;
  TlsFixture t(limits);
  SyslogFarEnd far_end;
  const DrainEntry drain = t.f.add(t.url(far_end));
  for (int i = 0; i < 3; ++i) {
    t.f.append(i, 1);
    Served served(t.context.get(), far_end.accept());
    CHECK(served.messages(1) == numbered(i, 1));
    CHECK(served.ended_in_order());
  }
  REQUIRE(t.f.settled(drain));
  CHECK(t.f.notices().empty());
}

TEST_CASE("TLS: what is no certificate's fault is no L14; what is, is told once") {
  TlsFixture t;
  SyslogFarEnd far_end;
  const DrainEntry drain = t.f.add(t.url(far_end));
  t.f.append(0, 1);
  {
    Served served(t.context.get(), far_end.accept());
    REQUIRE(served.shaken);
    // Bytes of nobody's making, where a record of TLS should be.
    CHECK(::send(served.fd(), "\x17\x03\x03\x00\x20no record at all, but 32 bytes!!", 37, MSG_NOSIGNAL) ==
          37);
    REQUIRE(eventually([&] { return t.f.account(drain).status.state == DrainState::failing; }));
    CHECK(t.f.account(drain).status.cause == "tls: decryption failed or bad record mac");
    CHECK(t.f.notices().size() == 1);
  }
  const Certificate expired = make_certificate({.from = -7200, .until = -3600}, &t.authority);
  SSL_CTX_use_certificate(t.context.get(), expired.x509.get());
  SSL_CTX_use_PrivateKey(t.context.get(), expired.key.get());
  t.f.append(1, 1);
  for (int i = 0; i < 2; ++i) CHECK_FALSE(Served(t.context.get(), far_end.accept()).shaken);
  REQUIRE(eventually([&] { return t.f.account(drain).status.cause == "tls: certificate has expired"; }));
  REQUIRE(t.f.notices().size() == 2);
  CHECK(t.f.notices()[1] ==
        "heroku[logplex]: Error L14 (certificate validation): error=\"certificate has expired\" uri=\"" +
            t.url(far_end) + "\"");
}
