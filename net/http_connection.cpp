#include "net/http_connection.h"

#include <typeinfo>

#include "base/log.h"
#include "base/text.h"
#include "net/http_exchange.h"

namespace tailrace {
namespace {

constexpr auto kLastChunk = std::chrono::milliseconds(500);

constexpr size_t kScratch = 64 * 1024;
constexpr size_t kKeptWhileIdle = 1024;
constexpr std::chrono::milliseconds kLinger{5'000};

/// Read into and emptied without a suspension in between, so that all connections of a thread can share it.
std::span<char> scratch() {
  thread_local const std::unique_ptr<char[]> bytes(new char[kScratch]);
  return {bytes.get(), kScratch};
}

}  // namespace

void HeldBytes::append(std::string_view bytes) {
  if (empty()) {
    bytes_.clear();
    at_ = 0;
  } else if (at_ > bytes_.size() / 2) {
    bytes_.erase(0, at_);
    at_ = 0;
  }
  bytes_.append(bytes);
}

void HeldBytes::take(size_t count) {
  at_ += count;
}

void HeldBytes::release() {
  if (empty() && bytes_.capacity() > kKeptWhileIdle) {
    bytes_ = {};
    at_ = 0;
  }
}

HttpConnection::HttpConnection(std::shared_ptr<HttpServer::Shared> shared, Loop& loop,
                               asio::ip::tcp::socket socket, SslPtr tls)
    : shared_(std::move(shared)),
      limits_(shared_->limits),
      connected_(loop),
      stream_(std::make_shared<Stream>(loop, std::move(socket))) {
  shared_->open.fetch_add(1, std::memory_order_relaxed);
  if (tls) stream_->use_tls(std::move(tls));
}

HttpConnection::~HttpConnection() {
  shared_->open.fetch_sub(1, std::memory_order_relaxed);
}

asio::awaitable<void> HttpConnection::run(std::shared_ptr<HttpConnection> self) {
  auto& connections = self->shared_->of(self->stream_->loop()).connections;
  connections.insert(self.get());
  try {
    self->stream_->deadline_in(self->limits_.head);
    bool open = true;
    if (self->stream_->tls()) open = co_await self->shake_hands();
    while (open) {
      open = co_await self->wait_for_request();
      if (open) open = co_await self->serve_one();
    }
  } catch (const std::exception& e) {
    log_error("connection ended by an exception", std::string("type=") + typeid(e).name());
  }
  connections.erase(self.get());
  self->stream_->close();
}

void HttpConnection::stop() {
  if (exchange_) exchange_->tell_gone();
  // A reader that takes nothing must not hold up the end; one that does still gets its last chunk.
  if (exchange_ && exchange_->streaming()) stream_->deadline_in(kLastChunk);
  if (idle_ || lingering_) stream_->interrupt();
}

/// False: there is no TLS with this peer.
asio::awaitable<bool> HttpConnection::shake_hands() {
  const Io shaken = co_await stream_->handshake();
  if (shaken == Io::late)
    shared_->handshakes.add(Handshake::deadline);
  else if (shaken != Io::stopped)
    shared_->handshakes.add(stream_->tls().outcome());
  co_return shaken == Io::ok;
}

/// Until the first byte of a request is held. False: the connection has ended.
asio::awaitable<bool> HttpConnection::wait_for_request() {
  idle_ = true;
  if (!first_) stream_->deadline_in(limits_.idle);
  while (held_.empty()) {
    held_.release();
    if (shared_->stopping.load(std::memory_order_relaxed)) co_return false;
    const Io got = co_await fill();
    if (got == Io::late && first_) break;  // serve_one() says 408
    if (got != Io::ok) co_return false;
    // An empty line is the end of a careless client's last body, not the beginning of a request.
    while (held_.view().starts_with("\r\n")) held_.take(2);
  }
  idle_ = false;
  co_return true;
}

/// More bytes into `held_`.
asio::awaitable<Io> HttpConnection::fill() {
  while (true) {
    const Io waited = co_await stream_->readable();
    if (waited != Io::ok) co_return waited;
    size_t count = 0;
    const Io got = stream_->read_some(scratch(), count);
    if (got == Io::again) continue;
    if (got == Io::ok) held_.append({scratch().data(), count});
    co_return got;
  }
}

/// One request and its answer. False: the connection has ended.
asio::awaitable<bool> HttpConnection::serve_one() {
  Exchange exchange(*this);
  HttpRequestParser parser(limits_, exchange.request);
  const auto ended = [&] {
    if (!exchange.answered()) shared_->cut_off.fetch_add(1, std::memory_order_relaxed);
    return false;
  };
  const bool head = co_await read_head(parser, exchange);
  if (!head) co_return ended();
  const HttpRoutes::Route* route = nullptr;
  bool read = co_await judge(parser, exchange, route);
  if (read && route) {
    read = co_await read_body(parser, exchange);
    if (!read) co_return ended();
    co_await handle(exchange, *route);
    parser.drop_body();  // its room is others', whatever this connection still does
  }
  if (exchange.broken()) co_return false;
  if (exchange.keep_alive() && !shared_->stopping.load(std::memory_order_relaxed)) co_return true;
  co_await linger();
  co_return false;
}

asio::awaitable<bool> HttpConnection::read_head(HttpRequestParser& parser, Exchange& exchange) {
  bool waited = first_;  // the first head's time runs from the accept
  first_ = false;
  while (true) {
    if (!held_.empty()) held_.take(parser.feed_head(held_.view()));
    if (parser.fault()) {
      co_await refuse(parser, exchange, *parser.fault());
      co_return false;
    }
    if (parser.head_done()) break;
    if (!waited) stream_->deadline_in(limits_.head);
    waited = true;
    const Io got = co_await fill();
    if (got == Io::late) co_await refuse(parser, exchange, {408, "request head took too long"});
    if (got != Io::ok) co_return false;
  }
  stream_->no_deadline();
  boost::system::error_code ignored;
  exchange.request.peer = stream_->socket().remote_endpoint(ignored);
  exchange.request.local = stream_->socket().local_endpoint(ignored);
  exchange.set_head(parser.http11(), parser.keep_alive());
  co_return true;
}

/// Gates and limits, before a byte of the body is waited for. False, or no route: answered.
asio::awaitable<bool> HttpConnection::judge(HttpRequestParser& parser, Exchange& exchange,
                                            const HttpRoutes::Route*& route) {
  std::optional<HttpResponse> refusal;
  try {
    const HttpRoutes& routes = shared_->routes;
    if (routes.gate()) refusal = routes.gate()(exchange.request);
    if (!refusal) {
      auto found = routes.find(exchange.request);
      if (auto* response = std::get_if<HttpResponse>(&found))
        refusal = std::move(*response);
      else
        route = std::get<const HttpRoutes::Route*>(found);
    }
    if (route && route->gate) refusal = route->gate(exchange.request);
  } catch (const std::exception& e) {
    log_error("gate failed", std::string("type=") + typeid(e).name());
    refusal = http_error(500, "internal error");
  }
  if (!refusal && exchange.request.headers.has("Expect") && parser.http11() && !parser.expects_continue())
    refusal = http_error(417, "expectation failed");
  // The body of a GET means nothing (RFC 9110 section 9.3.1), but its bytes are not the next request.
  if (refusal || exchange.request.method == "GET" || exchange.request.method == "HEAD") parser.ignore_body();
  if (!parser.admit_body(shared_->bodies) && !refusal) {
    refusal = http_error(parser.fault()->status, parser.fault()->text);
    if (parser.fault()->status == 503) refusal->headers.add("Retry-After", "1");
  }
  if (!refusal) co_return true;
  route = nullptr;
  // A body that is here already is read over; one that is not would have to be waited for.
  if (!parser.fault() && parser.has_body()) held_.take(parser.feed_body(held_.view()));
  if (parser.fault() || !parser.done()) exchange.close_after();
  co_await exchange.respond(std::move(*refusal));
  co_return false;
}

asio::awaitable<bool> HttpConnection::read_body(HttpRequestParser& parser, Exchange& exchange) {
  held_.take(parser.feed_body(held_.view()));
  if (parser.done()) co_return true;
  if (!parser.fault() && parser.expects_continue() && held_.empty() && exchange.request.body.empty()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const Io sent = co_await stream_->write(Gather(kContinue), limits_.write);
    if (sent != Io::ok) co_return false;
  }
  stream_->deadline_in(limits_.body);
  while (!parser.fault() && !parser.done()) {
    Io got = co_await stream_->readable();
    size_t count = 0;
    if (got == Io::ok) got = stream_->read_some(scratch(), count);
    if (got == Io::again) continue;
    if (got == Io::late) co_await refuse(parser, exchange, {408, "request body took too long"});
    if (got != Io::ok) co_return false;
    std::string_view bytes(scratch().data(), count);
    if (held_.empty()) {
      bytes.remove_prefix(parser.feed_body(bytes));
      if (!bytes.empty()) held_.append(bytes);
    } else {
      held_.append(bytes);
      held_.take(parser.feed_body(held_.view()));
    }
  }
  if (parser.fault()) {
    co_await refuse(parser, exchange, *parser.fault());
    co_return false;
  }
  stream_->no_deadline();
  co_return true;
}

asio::awaitable<void> HttpConnection::handle(Exchange& exchange, const HttpRoutes::Route& route) {
  exchange_ = &exchange;
  ++handled_;
  held_.release();
  try {
    co_await route.handler(exchange);
  } catch (const std::exception& e) {
    // Not what(): it may hold what a stranger sent.
    log_error("handler failed",
              "method=" + route.method + " route=" + route.pattern + " type=" + typeid(e).name());
    if (exchange.answered()) exchange.break_off();
  }
  exchange_ = nullptr;
  if (!exchange.answered()) co_await exchange.respond(http_error(500, "internal error"));
  co_await exchange.finish();
}

asio::awaitable<void> HttpConnection::refuse(HttpRequestParser& parser, Exchange& exchange, HttpFault fault) {
  parser.drop_body();
  HttpResponse response = http_error(fault.status, fault.text);
  if (fault.status == 503) response.headers.add("Retry-After", "1");
  exchange.close_after();
  stream_->no_deadline();
  co_await exchange.respond(std::move(response));
  if (!exchange.broken()) co_await linger();
}

/// Closing with unread bytes would reset the connection, and the answer with it. So: half-close, and read
/// until the peer closes too, within bounds.
asio::awaitable<void> HttpConnection::linger() {
  lingering_ = true;
  held_ = {};
  stream_->shutdown_send();
  stream_->deadline_in(std::min(limits_.body, kLinger));
  size_t left = limits_.body_bytes + kScratch;
  while (!shared_->stopping.load(std::memory_order_relaxed)) {
    size_t count = 0;
    Io got = co_await stream_->readable();
    if (got == Io::ok) got = stream_->read_some(scratch(), count);
    if (got == Io::again) continue;
    if (got != Io::ok || count > left) break;
    left -= count;
  }
}

}  // namespace tailrace
