#include "cli/sink_connection.h"

#include <boost/asio/error.hpp>

namespace tailrace {
namespace {

using B = SinkBehaviour;

constexpr auto last_words = std::chrono::seconds(1);

}  // namespace

SinkConnection::SinkConnection(SinkHost& host, boost::asio::ip::tcp::socket socket)
    : host_(host), stream_(std::move(socket)), pause_(host.io), ready_(host.tls == nullptr) {}

// ---- reading

bool SinkConnection::may_read() const {
  return !reading_ && !busy_ && stream_.is_open() && host_.behaviour.mode != B::hang;
}

void SinkConnection::go_on() {
  if (!may_read()) return;
  if (!ready_) return shake();
  if (host_.http) return serve();
  if (host_.behaviour.mode == B::slow) return wait(host_.behaviour.delay, &SinkConnection::read);
  read();
}

void SinkConnection::shake() {
  const auto how = host_.behaviour.mode == B::tls ? host_.behaviour.handshake : B::good;
  auto* const context = host_.tls->context(how);
  if (!context) return;  // it stalls
  busy_ = true;
  stream_.handshake(*context, [self = shared_from_this()](boost::system::error_code failed) {
    self->busy_ = false;
    if (failed) {
      if (self->stream_.is_open()) self->host_.account.count(&SinkCounts::failed_handshakes);
      return self->close();
    }
    self->ready_ = true;
    self->go_on();
  });
}

void SinkConnection::read() {
  if (reading_ || !stream_.is_open()) return;
  reading_ = true;
  stream_.read_some(buffer_, [self = shared_from_this()](boost::system::error_code failed, size_t n) {
    self->reading_ = false;
    if (failed == boost::asio::error::eof && !self->busy_) return self->finish();
    if (failed) return self->close();
    self->got(std::string_view(self->buffer_.data(), n));
  });
}

void SinkConnection::got(std::string_view bytes) {
  if (host_.http) {
    requests_.add(bytes);
    return serve();
  }
  if (!frames_.add(bytes, [this](std::string_view frame) { host_.account.take(frame); })) return malformed();
  if (host_.behaviour.mode == B::close_mid) return reset();
  go_on();
}

void SinkConnection::malformed() {
  host_.account.count(&SinkCounts::malformed);
  close();
}

// ---- answering

void SinkConnection::serve() {
  if (busy_ || !ready_ || !stream_.is_open() || host_.behaviour.mode == B::hang) return;
  if (!request_) {
    request_ = requests_.next();
    if (request_) host_.account.count(&SinkCounts::requests);
  }
  if (requests_.broken()) return malformed();
  if (!request_) {
    if (requests_.wants_continue()) return write("HTTP/1.1 100 Continue\r\n\r\n", &SinkConnection::go_on);
    return read();
  }
  if (host_.behaviour.mode == B::hang_answer) return;
  if (host_.behaviour.mode == B::slow) return wait(host_.behaviour.delay, &SinkConnection::answer);
  answer();
}

void SinkConnection::answer() {
  if (dripped_ > 0) return drip();
  if (stream_.peer_left()) {
    host_.account.count(&SinkCounts::abandoned);
    return close();
  }
  const B& how = host_.behaviour;
  if (!request_->keep_alive || retiring_) closing_ = true;
  if (request_->method != "POST" && request_->method != "PUT") {
    host_.account.count(&SinkCounts::turned_away);
    return write(answer_text(405), &SinkConnection::next);
  }
  switch (how.mode) {
    case B::close_mid:
      host_.account.count(&SinkCounts::turned_away);
      return write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthe first hal",
                   &SinkConnection::break_off);
    case B::drip:
      out_ = answer_text(204);
      return drip();
    case B::bomb:
      return write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &SinkConnection::flood);
    case B::head:
      host_.account.count(&SinkCounts::turned_away);
      return write("HTTP/1.1 200 OK\r\n", &SinkConnection::flood);
    default:
      break;
  }
  const int status = how.mode == B::status ? how.code : 204;
  if (status / 100 == 2) return write(answer_text(status), &SinkConnection::answered);
  host_.account.count(&SinkCounts::turned_away);
  write(answer_text(status), &SinkConnection::next);
}

std::string SinkConnection::answer_text(int status) const {
  std::string text = "HTTP/1.1 " + std::to_string(status);
  text += status == 204 ? " No Content\r\n" : " Simulated\r\n";
  if (status != 204 && status != 304) text += "Content-Length: 0\r\n";
  if (status / 100 == 3) text += "Location: /\r\n";
  if (host_.behaviour.mode == B::status && host_.behaviour.retry_after.count() > 0)
    text += "Retry-After: " + std::to_string(host_.behaviour.retry_after.count()) + "\r\n";
  return text + (closing_ ? "Connection: close\r\n\r\n" : "\r\n");
}

void SinkConnection::break_off() {
  request_.reset();
  close();
}

// A byte of the answer, then a pause; all that is left once the behaviour is another.
void SinkConnection::drip() {
  if (dripped_ == out_.size()) return answered();
  const std::string_view rest = std::string_view(out_).substr(dripped_);
  if (host_.behaviour.mode != B::drip) {
    dripped_ = out_.size();
    return write_more(rest, &SinkConnection::drip);
  }
  ++dripped_;
  const auto pause = [](SinkConnection& self) {
    self.wait(self.host_.behaviour.delay, &SinkConnection::drip);
  };
  busy_ = true;
  stream_.write(rest.substr(0, 1),
                [self = shared_from_this(), pause](boost::system::error_code failed, size_t) {
                  self->busy_ = false;
                  if (failed) return self->close();
                  pause(*self);
                });
}

// More of an answer that has no end, until the behaviour is another. Whoever goes by its status has its
// answer.
void SinkConnection::flood() {
  const B::Mode mode = host_.behaviour.mode;
  if (mode == B::bomb && request_) taken();
  request_.reset();
  if (mode == B::bomb) return write("10000\r\n" + std::string(0x10000, 'x') + "\r\n", &SinkConnection::flood);
  if (mode == B::head) return write("X-Filler: " + std::string(4096, 'x') + "\r\n", &SinkConnection::flood);
  close();
}

void SinkConnection::answered() {
  taken();
  next();
}

// The frames count when the sender has its answer: until then it may send them again.
void SinkConnection::taken() {
  const auto body = decoded_body(*request_);
  if (!body) return host_.account.count(&SinkCounts::malformed);
  host_.account.take_request(request_->frame_id);
  if (read_body_frames(*body, [this](std::string_view frame) { host_.account.take(frame); }) > 0) {
    host_.account.count(&SinkCounts::malformed);
  }
}

void SinkConnection::next() {
  request_.reset();
  dripped_ = 0;
  if (closing_) return finish();
  serve();
}

void SinkConnection::write(std::string text, Step then) {
  out_ = std::move(text);
  write_more(out_, then);
}

void SinkConnection::write_more(std::string_view text, Step then) {
  busy_ = true;
  stream_.write(text, [self = shared_from_this(), then](boost::system::error_code failed, size_t) {
    self->busy_ = false;
    if (failed) return self->close();
    ((*self).*then)();
  });
}

void SinkConnection::wait(std::chrono::milliseconds span, Step then) {
  busy_ = pausing_ = true;
  pause_.expires_after(span);
  pause_.async_wait([self = shared_from_this(), then](boost::system::error_code failed) {
    if (failed) return;
    self->busy_ = self->pausing_ = false;
    ((*self).*then)();
  });
}

// ---- ends

void SinkConnection::retire() {
  retiring_ = true;
  if (!ready_) return close();
  if (!host_.http) {
    stream_.half_close();
  } else if (!busy_ && !request_ && requests_.idle()) {
    return finish();
  }
  if (pausing_) busy_ = pausing_ = false;
  close_soon();
  go_on();
}

// Nothing is under way any more: ends as TLS has it.
void SinkConnection::finish() {
  if (!host_.tls) return close();
  busy_ = true;
  close_soon();
  stream_.goodbye([self = shared_from_this()](boost::system::error_code) { self->close(); });
}

void SinkConnection::close_soon() {
  pause_.expires_after(last_words);
  pause_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
    if (!failed) self->close();
  });
}

void SinkConnection::reset() {
  pause_.cancel();
  stream_.reset();
  host_.connections.erase(shared_from_this());
}

void SinkConnection::close() {
  pause_.cancel();
  stream_.close();
  host_.connections.erase(shared_from_this());
}

}  // namespace tailrace
