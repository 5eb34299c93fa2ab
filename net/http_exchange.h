#pragma once
// The server's side of one request, as its handler sees it: writes one answer, whole or as a stream.

#include "net/http_connection.h"

namespace tailrace {

/// Lives in its connection's coroutine for one request.
class HttpConnection::Exchange final : public HttpExchange {
 public:
  explicit Exchange(HttpConnection& connection) : connection_(connection) {}
  ~Exchange() override { end_watch(); }

  Loop& loop() override { return connection_.stream_->loop(); }
  asio::awaitable<void> respond(HttpResponse response) override;
  asio::awaitable<bool> begin_stream(int status, HttpFields headers) override;
  asio::awaitable<bool> write(std::string_view bytes) override;
  size_t unsent() const override { return connection_.stream_->unsent(); }
  void on_gone(std::function<void()> gone) override;

  /// What follows from the head, once it is known.
  void set_head(bool http11, bool keep_alive);
  /// This answer is the connection's last.
  void close_after() { keep_alive_ = false; }

  bool answered() const { return answered_; }
  bool streaming() const { return streaming_; }
  bool keep_alive() const { return keep_alive_; }
  /// The answer is not, and will not be, whole.
  bool broken() const { return broken_; }
  void break_off() override { broken_ = true; }
  /// After the handler: the stream's last chunk.
  asio::awaitable<void> finish();
  /// The peer is gone or the server stops: tells the handler, once.
  void tell_gone();

 private:
  std::string head_text(int status, std::string_view content_type, const HttpFields& headers) const;
  void note_answer(int status);
  asio::awaitable<bool> send(Gather pieces);
  bool on_readable();
  void end_watch();

  HttpConnection& connection_;
  std::function<void()> gone_;
  bool http11_ = true, keep_alive_ = false, head_only_ = false;
  bool answered_ = false, broken_ = false, streaming_ = false, watching_ = false, told_gone_ = false;
};

}  // namespace tailrace
