#include "net/http_client.h"

#include <array>

#include "base/ids.h"
#include "base/time_text.h"
#include "net/http_body.h"
#include "net/http_parser.h"
#include "net/stream.h"

namespace tailrace {

namespace {

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
  State(Loop& l, Connector& c, ClientTls t, Origin o, HttpClientLimits m)
      : loop(l), connector(c), tls(std::move(t)), origin(std::move(o)), limits(m), idle_timer(l.io) {}

  static asio::awaitable<NetResult<HttpAnswer>> exchange(std::shared_ptr<State> self, std::string_view head,
                                                         HttpBody& body, ConnectSteps* steps);
  asio::awaitable<NetFailure> open(ConnectSteps* steps);
  asio::awaitable<NetFailure> shake_hands();
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
    if (stream) {
      if (stream->tls()) back.keep(stream->tls());
      stream->close();
    }
    stream.reset();
  }

  Loop& loop;
  Connector& connector;
  const ClientTls tls;
  const Origin origin;
  const HttpClientLimits limits;
  TlsReturn back;
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
  // TLS 1.3: that our certificate is refused comes after the handshake.
  if (stream->tls() && !stream->tls().error().empty()) return tls_failure(stream->tls());
  return {NetErrc::closed, "closed by the far end"};
}

/// Connects and shakes hands; `ok` if that went well.
asio::awaitable<NetFailure> HttpClient::State::open(ConnectSteps* steps) {
  connecting = std::make_shared<ConnectCancel>();
  auto socket = co_await connector.connect(loop, origin.host, origin.port, connecting, steps);
  connecting.reset();
  if (!socket) co_return socket.error();
  if (closing) co_return stopped();
  stream = std::make_shared<Stream>(loop, std::move(*socket));
  // Those that began together do not end together.
  renew_at =
      mono_now() + limits.age - std::chrono::milliseconds(int64_t(limits.age.count() * random_unit() / 10));
  if (!origin.tls) co_return NetFailure{};
  ConnectSteps unwatched;
  StepWatch shaking((steps ? steps : &unwatched)->handshake);
  const NetFailure failed = co_await shake_hands();
  if (failed.code == NetErrc::ok)
    shaking.done(true, stream->tls().described());
  else
    shaking.done(false, failed.text.starts_with("tls: ") ? failed.text.substr(5) : failed.text);
  co_return failed;
}

asio::awaitable<NetFailure> HttpClient::State::shake_hands() {
  SslPtr ssl = tls.towards(origin.host, ClientTls::Speaks::http11, back);
  if (!ssl) co_return NetFailure(NetErrc::handshake, "tls: no memory");
  stream->use_tls(std::move(ssl));
  stream->deadline_in(limits.handshake);
  const Io shaken = co_await stream->handshake();
  if (shaken == Io::ok) co_return NetFailure{};
  back.forget();
  if (shaken == Io::stopped || closing) co_return stopped();
  if (shaken == Io::late)
    co_return NetFailure(NetErrc::handshake, "tls: no handshake within " + duration_text(limits.handshake));
  co_return tls_failure(stream->tls());
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
                                                                   std::string_view head, HttpBody& body,
                                                                   ConnectSteps* steps) {
  self->closing = false;
  self->busy = true;
  NetFailure failed;
  const bool reused = self->still_open();
  if (!reused) {
    self->drop();
    failed = co_await self->open(steps);
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

HttpClient::HttpClient(Loop& loop, Connector& connector, ClientTls tls, Origin origin,
                       HttpClientLimits limits)
    : state_(std::make_shared<State>(loop, connector, std::move(tls), std::move(origin), limits)) {}

HttpClient::~HttpClient() {
  close();
}

asio::awaitable<NetResult<HttpAnswer>> HttpClient::exchange(std::string_view head, HttpBody& body,
                                                            ConnectSteps* steps) {
  return State::exchange(state_, head, body, steps);
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
