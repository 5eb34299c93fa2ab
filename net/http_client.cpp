#include "net/http_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

#include "base/ids.h"
#include "base/time_text.h"
#include "net/http_body.h"
#include "net/http_parser.h"
#include "net/stream.h"

namespace tailrace {

struct ClientTls::Impl {
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()),
                                                              ::SSL_CTX_free};
};

ClientTls::ClientTls(const std::string& ca_file) : impl_(std::make_unique<Impl>()) {
  SSL_CTX* context = impl_->context.get();
  if (!context) throw std::runtime_error("no TLS from OpenSSL");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  ERR_clear_error();
  if (!loaded)
    throw std::runtime_error(ca_file.empty() ? "no TLS authorities from the system"
                                             : "SSL_CERT_FILE=" + ca_file + ": no usable certificates in it");
}

ClientTls::~ClientTls() = default;

namespace {

/// A client's TLS for one connection to `host`; null if OpenSSL has no memory.
SslPtr tls_towards(const ClientTls& tls, std::string host) {
  if (host.ends_with('.')) host.pop_back();
  SslPtr ssl(SSL_new(tls.impl().context.get()));
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool set = true;
  if (const auto literal = literal_address(host)) {
    set = X509_VERIFY_PARAM_set1_ip_asc(wanted, literal->to_string().c_str()) == 1;
  } else {
    set = X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1 &&
          SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  }
  return set ? std::move(ssl) : nullptr;
}

std::span<char> scratch() {
  thread_local std::array<char, 16 * 1024> bytes;
  return bytes;
}

std::span<char> body_scratch() {
  thread_local const auto bytes = std::make_unique_for_overwrite<char[]>(HttpBody::kScratch);
  return {bytes.get(), HttpBody::kScratch};
}

NetFailure stopped() {
  return {NetErrc::stopped, "stopped"};
}

}  // namespace

struct HttpClient::State : std::enable_shared_from_this<State> {
  State(Loop& l, Connector& c, const ClientTls& t, Origin o, HttpClientLimits m)
      : loop(l), connector(c), tls(t), origin(std::move(o)), limits(m), idle_timer(l.io) {}

  static asio::awaitable<NetResult<HttpAnswer>> exchange(std::shared_ptr<State> self, std::string_view head,
                                                         HttpBody& body);
  asio::awaitable<NetFailure> open();
  asio::awaitable<NetFailure> converse(HttpAnswerParser& parser, std::string_view head, HttpBody& body);
  Io send(std::string_view& head, HttpBody& body);
  NetFailure take(HttpAnswerParser& parser, Io got, size_t count);
  NetFailure ended(Io why) const;

  /// Whether the connection is young enough, and the far end left it alone since the last answer.
  bool still_open() {
    size_t count = 0;
    return stream && mono_now() < renew_at && stream->read_some(scratch(), count) == Io::again;
  }
  void keep();
  void watch_idle();
  void drop() {
    if (stream) stream->close();
    stream.reset();
  }

  Loop& loop;
  Connector& connector;
  const ClientTls& tls;
  const Origin origin;
  const HttpClientLimits limits;
  std::shared_ptr<Stream> stream;  // connected, and shaken hands with
  std::shared_ptr<ConnectCancel> connecting;
  asio::steady_timer idle_timer;
  Mono renew_at{}, idle_since{};
  bool watched = false;                 // idle_timer runs
  bool busy = false;                    // a call is under way
  bool closing = false, whole = false;  // in it: close() was called; the request is sent
};

NetFailure HttpClient::State::ended(Io why) const {
  if (why == Io::stopped || closing) return stopped();
  if (why == Io::late) return {NetErrc::timeout, "no answer within " + duration_text(limits.request)};
  return {NetErrc::closed, "closed by the far end"};
}

/// Connects and shakes hands; `ok` if that went well.
asio::awaitable<NetFailure> HttpClient::State::open() {
  connecting = std::make_shared<ConnectCancel>();
  auto socket = co_await connector.connect(loop, origin.host, origin.port, connecting);
  connecting.reset();
  if (!socket) co_return socket.error();
  if (closing) co_return stopped();
  stream = std::make_shared<Stream>(loop, std::move(*socket));
  // Those that began together do not end together.
  renew_at =
      mono_now() + limits.age - std::chrono::milliseconds(int64_t(limits.age.count() * random_unit() / 10));
  if (!origin.tls) co_return NetFailure{};
  SslPtr ssl = tls_towards(tls, origin.host);
  if (!ssl) co_return NetFailure(NetErrc::handshake, "tls: no memory");
  stream->use_tls(std::move(ssl));
  stream->deadline_in(limits.handshake);
  const Io shaken = co_await stream->handshake();
  if (shaken == Io::ok) co_return NetFailure{};
  if (shaken == Io::stopped || closing) co_return stopped();
  if (shaken == Io::late)
    co_return NetFailure(NetErrc::handshake, "tls: no handshake within " + duration_text(limits.handshake));
  co_return NetFailure(NetErrc::handshake, "tls: " + stream->tls().error());
}

/// What a read brought, or why it brought nothing.
NetFailure HttpClient::State::take(HttpAnswerParser& parser, Io got, size_t count) {
  if (got == Io::again) return {};
  if (got == Io::ok) {
    parser.feed({scratch().data(), count});
  } else if (got != Io::end || !parser.feed_end()) {
    if (!parser.bad()) return ended(got);
  }
  if (parser.bad()) return {NetErrc::bad_answer, "bad answer"};
  return {};
}

/// As much of the request as the socket takes at once, `ok` if that is something.
Io HttpClient::State::send(std::string_view& head, HttpBody& body) {
  const std::string_view piece = body.left() ? body.peek(body_scratch()) : std::string_view{};
  Gather request(head, piece);
  size_t sent = 0, count = 0;
  Io written = Io::ok;
  while (written == Io::ok && !request.empty()) {
    written = stream->write_some(request, count);
    request.drop_front(count);
    sent += count;
  }
  const size_t of_head = std::min(sent, head.size());
  head.remove_prefix(of_head);
  if (sent > of_head) body.take(sent - of_head);
  return written;
}

/// Sends the request and reads the answer, which may come before the request is sent.
asio::awaitable<NetFailure> HttpClient::State::converse(HttpAnswerParser& parser, std::string_view head,
                                                        HttpBody& body) {
  stream->deadline_in(limits.request);
  size_t count = 0;
  while ((!head.empty() || body.left()) && !parser.settled()) {
    const Io written = send(head, body);
    if (written == Io::ok) continue;
    if (written != Io::again) break;  // it may have answered before it stopped listening
    const Io waited = co_await stream->readable_or_writable();
    if (waited != Io::ok) co_return ended(waited);
    const Io got = stream->read_some(scratch(), count);
    NetFailure failed = take(parser, got, count);
    if (failed.code != NetErrc::ok) co_return failed;
  }
  whole = head.empty() && !body.left();
  while (!parser.settled()) {
    const Io waited = co_await stream->readable();
    if (waited != Io::ok && waited != Io::end) co_return ended(waited);
    const Io got = stream->read_some(scratch(), count);
    NetFailure failed = take(parser, got, count);
    if (failed.code != NetErrc::ok) co_return failed;
  }
  co_return NetFailure{};
}

asio::awaitable<NetResult<HttpAnswer>> HttpClient::State::exchange(std::shared_ptr<State> self,
                                                                   std::string_view head, HttpBody& body) {
  self->closing = false;
  self->busy = true;
  NetFailure failed;
  const bool reused = self->still_open();
  if (!reused) {
    self->drop();
    failed = co_await self->open();
  }
  HttpAnswerParser parser({self->limits.head_bytes, self->limits.body_bytes});
  if (failed.code == NetErrc::ok) failed = co_await self->converse(parser, head, body);
  self->busy = false;
  if (failed.code != NetErrc::ok) {
    self->drop();
    co_return failed;
  }
  if (self->closing || !self->whole || !parser.keep_alive())
    self->drop();
  else
    self->keep();
  HttpAnswer answer;
  answer.status = parser.status();
  if (answer.status == 429 || answer.status == 503) answer.retry_after = parser.retry_after();
  co_return answer;
}

/// The connection waits for the next call.
void HttpClient::State::keep() {
  stream->no_deadline();
  idle_since = mono_now();
  if (!watched) watch_idle();
}

/// The timer is set once per `idle`, however many calls there are.
void HttpClient::State::watch_idle() {
  watched = true;
  idle_timer.expires_at(idle_since + limits.idle);
  idle_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (!self) return;
    self->watched = false;
    if (ec || !self->stream) return;
    if (self->busy) self->idle_since = mono_now();
    if (mono_now() < self->idle_since + self->limits.idle) return self->watch_idle();
    self->drop();
  });
}

HttpClient::HttpClient(Loop& loop, Connector& connector, const ClientTls& tls, Origin origin,
                       HttpClientLimits limits)
    : state_(std::make_shared<State>(loop, connector, tls, std::move(origin), limits)) {}

HttpClient::~HttpClient() {
  close();
}

asio::awaitable<NetResult<HttpAnswer>> HttpClient::exchange(std::string_view head, HttpBody& body) {
  return State::exchange(state_, head, body);
}

bool HttpClient::connected() const {
  return state_->stream != nullptr;
}

void HttpClient::close() {
  if (!state_->busy) return state_->drop();
  state_->closing = true;
  if (state_->connecting) state_->connecting->cancel();
  // The call drops the stream itself.
  if (state_->stream) state_->stream->interrupt();
}

}  // namespace tailrace
