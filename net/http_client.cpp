#include "net/http_client.h"

#include <array>

#include "base/time_text.h"
#include "net/http_parser.h"
#include "net/stream.h"

namespace tailrace {

namespace {

std::span<char> scratch() {
  thread_local std::array<char, 16 * 1024> bytes;
  return bytes;
}

NetFailure stopped() {
  return {NetErrc::stopped, "stopped"};
}

}  // namespace

struct HttpClient::State {
  State(Loop& l, Connector& c, ClientTls t, Origin o, HttpClientLimits m)
      : loop(l), connector(c), tls(std::move(t)), origin(std::move(o)), limits(m) {}

  static asio::awaitable<NetResult<HttpAnswer>> exchange(std::shared_ptr<State> self, std::string_view head,
                                                         std::string_view body);
  asio::awaitable<NetFailure> open();
  asio::awaitable<NetFailure> converse(HttpAnswerParser& parser, Gather request);
  NetFailure take(HttpAnswerParser& parser, Io got, size_t count);
  NetFailure ended(Io why) const;

  /// Whether the far end left the idle connection alone since the last answer.
  bool still_open() {
    size_t count = 0;
    return stream && stream->read_some(scratch(), count) == Io::again;
  }
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
asio::awaitable<NetFailure> HttpClient::State::open() {
  connecting = std::make_shared<ConnectCancel>();
  auto socket = co_await connector.connect(loop, origin.host, origin.port, connecting);
  connecting.reset();
  if (!socket) co_return socket.error();
  if (closing) co_return stopped();
  stream = std::make_shared<Stream>(loop, std::move(*socket));
  if (!origin.tls) co_return NetFailure{};
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

/// Sends the request and reads the answer, which may come before the request is sent.
asio::awaitable<NetFailure> HttpClient::State::converse(HttpAnswerParser& parser, Gather request) {
  stream->deadline_in(limits.request);
  size_t count = 0;
  while (!request.empty() && !parser.settled()) {
    const Io written = stream->write_some(request, count);
    request.drop_front(count);
    if (written == Io::ok) continue;
    if (written != Io::again) break;  // it may have answered before it stopped listening
    const Io waited = co_await stream->readable_or_writable();
    if (waited != Io::ok) co_return ended(waited);
    const Io got = stream->read_some(scratch(), count);
    NetFailure failed = take(parser, got, count);
    if (failed.code != NetErrc::ok) co_return failed;
  }
  whole = request.empty();
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
                                                                   std::string_view head,
                                                                   std::string_view body) {
  self->closing = false;
  self->busy = true;
  NetFailure failed;
  const bool reused = self->still_open();
  if (!reused) {
    self->drop();
    failed = co_await self->open();
  }
  HttpAnswerParser parser({self->limits.head_bytes, self->limits.body_bytes});
  if (failed.code == NetErrc::ok) failed = co_await self->converse(parser, Gather(head, body));
  self->busy = false;
  if (failed.code != NetErrc::ok) {
    self->drop();
    co_return failed;
  }
  if (self->closing || !self->whole || !parser.keep_alive())
    self->drop();
  else
    self->stream->no_deadline();
  HttpAnswer answer;
  answer.status = parser.status();
  if (answer.status == 429 || answer.status == 503) answer.retry_after = parser.retry_after();
  co_return answer;
}

HttpClient::HttpClient(Loop& loop, Connector& connector, ClientTls tls, Origin origin,
                       HttpClientLimits limits)
    : state_(std::make_shared<State>(loop, connector, std::move(tls), std::move(origin), limits)) {}

HttpClient::~HttpClient() {
  close();
}

asio::awaitable<NetResult<HttpAnswer>> HttpClient::exchange(std::string_view head, std::string_view body) {
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
