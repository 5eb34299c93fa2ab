#include "net/http_exchange.h"

#include <array>
#include <boost/asio/post.hpp>
#include <charconv>

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t kHeldWhileStreaming =
    16 * 1024;  // pipelined requests behind a stream; more ends the connection

constexpr std::pair<int, std::string_view> kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

std::string_view reason(int status) {
  for (const auto& [code, text] : kReasons)
    if (code == status) return text;
  return "Status";
}

/// A line break in a value would be a field of its own.
void append_field(std::string& head, std::string_view name, std::string_view value) {
  (head += name) += ": ";
  for (const char c : value) head += uint8_t(c) < 0x20 && c != '\t' ? ' ' : c;
  head += "\r\n";
}

bool has_no_body(int status) {
  return status == 204 || status == 304 || status / 100 == 1;
}

}  // namespace

void HttpConnection::Exchange::set_head(bool http11, bool keep_alive) {
  http11_ = http11;
  keep_alive_ = keep_alive;
  head_only_ = request.method == "HEAD";
}

std::string HttpConnection::Exchange::head_text(int status, std::string_view content_type,
                                                const HttpFields& headers) const {
  std::string head;
  head.reserve(256);
  ((head += "HTTP/1.1 ") += std::to_string(status)) += ' ';
  (head += reason(status)) += "\r\n";
  if (!content_type.empty()) append_field(head, "Content-Type", content_type);
  for (const auto& [name, value] : headers) append_field(head, name, value);
  if (const HttpStamp& stamp = connection_.shared_->routes.stamp()) {
    HttpFields further;
    stamp(request, further);
    for (const auto& [name, value] : further) append_field(head, name, value);
  }
  if (!keep_alive_)
    head += "Connection: close\r\n";
  else if (!http11_)
    head += "Connection: keep-alive\r\n";
  return head;
}

void HttpConnection::Exchange::note_answer(int status) {
  answered_ = true;
  const size_t code = size_t(status - 100);
  auto& answers = connection_.shared_->answers;
  if (code < answers.size()) answers[code].fetch_add(1, std::memory_order_relaxed);
}

asio::awaitable<bool> HttpConnection::Exchange::send(Gather pieces) {
  if (broken_) co_return false;
  const Io sent = co_await connection_.stream_->write(pieces, connection_.limits_.write);
  if (sent != Io::ok) {
    broken_ = true;
    tell_gone();
  }
  co_return !broken_;
}

asio::awaitable<void> HttpConnection::Exchange::respond(HttpResponse response) {
  if (answered_) co_return;
  note_answer(response.status);
  if (connection_.shared_->stopping.load(std::memory_order_relaxed)) keep_alive_ = false;
  std::string head = head_text(response.status, response.content_type, response.headers);
  const bool no_body = has_no_body(response.status);
  if (!no_body) ((head += "Content-Length: ") += std::to_string(response.body.size())) += "\r\n";
  head += "\r\n";
  const std::string_view body = no_body || head_only_ ? std::string_view{} : response.body;
  co_await send(Gather(head, body));
}

asio::awaitable<bool> HttpConnection::Exchange::begin_stream(int status, HttpFields headers) {
  if (answered_) co_return false;
  note_answer(status);
  if (!http11_ || connection_.shared_->stopping.load(std::memory_order_relaxed)) keep_alive_ = false;
  std::string head = head_text(status, {}, headers);
  const bool no_body = has_no_body(status);
  if (http11_ && !no_body) head += "Transfer-Encoding: chunked\r\n";
  head += "\r\n";
  streaming_ = !no_body && !head_only_;
  if (streaming_) {
    watching_ = true;
    connection_.stream_->watch([this] { return on_readable(); });
  }
  const bool sent = co_await send(Gather(head));
  if (!sent) co_return false;
  co_return streaming_;
}

asio::awaitable<bool> HttpConnection::Exchange::write(std::string_view bytes) {
  if (!streaming_) co_return false;
  if (bytes.empty()) co_return !broken_;
  if (!http11_) co_return co_await send(Gather(bytes));
  std::array<char, 20> size;
  char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  const std::string_view prefix(size.data(), size_t(end - size.data()));
  co_return co_await send(Gather(prefix, bytes, "\r\n"));
}

asio::awaitable<void> HttpConnection::Exchange::finish() {
  gone_ = nullptr;
  end_watch();
  if (streaming_ && http11_) co_await send(Gather("0\r\n\r\n"));
}

void HttpConnection::Exchange::on_gone(std::function<void()> gone) {
  if (!told_gone_) {
    gone_ = std::move(gone);
    return;
  }
  // Already gone: told soon, but never from inside this call, and only if this request is still being
  // handled.
  gone_ = std::move(gone);
  asio::post(loop().io, [connection = connection_.shared_from_this(), number = connection_.handled_] {
    if (connection->exchange_ && connection->handled_ == number) connection->exchange_->tell_gone();
  });
}

void HttpConnection::Exchange::tell_gone() {
  told_gone_ = true;
  if (gone_) std::exchange(gone_, nullptr)();
}

/// Bytes during a stream: an end, or pipelined requests, which are kept for afterwards as far as they are
/// few.
bool HttpConnection::Exchange::on_readable() {
  std::array<char, 4096> bytes;
  size_t count = 0;
  const Io got = connection_.stream_->read_some(bytes, count);
  if (got == Io::again) return true;
  if (got == Io::end) {
    // Maybe only half closed, so writes still go on; whoever waits, waits no longer.
    watching_ = false;
    keep_alive_ = false;
    tell_gone();
    return false;
  }
  if (connection_.held_.view().size() + count <= kHeldWhileStreaming)
    connection_.held_.append({bytes.data(), count});
  else
    keep_alive_ = false;
  return true;
}

void HttpConnection::Exchange::end_watch() {
  if (watching_) connection_.stream_->unwatch();
  watching_ = false;
}

}  // namespace tailrace
