#include "cli/sink.h"

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "cli/sequence_check.h"
#include "cli/sink_protocol.h"

namespace tailrace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Behaviour = SinkBehaviour;

constexpr auto last_words = std::chrono::seconds(1);

bool is_notice(std::string_view frame) {
  return frame.find(" heroku logplex ") < 120 && frame.find("Error L10") != frame.npos;
}

}  // namespace

// Lives on the sink's thread, but for the counts.
struct Sink::Impl {
  struct Connection;

  Options options;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor{io};
  tcp::endpoint endpoint;
  Behaviour behaviour;
  std::set<std::shared_ptr<Connection>> connections;
  std::thread thread;

  mutable std::mutex mutex;  // guards the two below
  SinkCounts counted;
  SequenceCheck numbers;

  explicit Impl(Options o) : options(std::move(o)) {}

  Result<void> bind(bool listen);
  void accept();
  void apply(Behaviour next);
  void take(std::string_view frame);  // the mutex is held
  void count(uint64_t SinkCounts::* what) {
    std::lock_guard lock(mutex);
    ++(counted.*what);
  }
};

// One sender. At most one read, one write and one pause are under way.
struct Sink::Impl::Connection : std::enable_shared_from_this<Connection> {
  Connection(Impl& sink, tcp::socket s) : sink_(sink), socket_(std::move(s)), pause_(sink.io) {}

  // Reads on, unless it does already or the mode says not to.
  void go_on() {
    if (reading_ || busy_ || !socket_.is_open() || sink_.behaviour.mode == Behaviour::hang) return;
    const bool slow = sink_.behaviour.mode == Behaviour::slow && sink_.options.protocol == Protocol::syslog;
    if (slow) return wait(sink_.behaviour.delay, &Connection::read);
    read();
  }

  // An orderly end: says goodbye, and reads what is on its way.
  void retire() {
    retiring_ = true;
    if (sink_.options.protocol == Protocol::syslog) {
      boost::system::error_code ignored;
      socket_.shutdown(tcp::socket::shutdown_send, ignored);
    } else if (!busy_ && requests_.idle()) {
      return close();
    }
    if (pausing_) busy_ = pausing_ = false;
    pause_.expires_after(last_words);
    pause_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
      if (!failed) self->close();
    });
    if (sink_.options.protocol == Protocol::http) return serve();
    go_on();
  }

  void reset() {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  void close() {
    boost::system::error_code ignored;
    pause_.cancel();
    socket_.close(ignored);
    sink_.connections.erase(shared_from_this());
  }

 private:
  void wait(std::chrono::milliseconds span, void (Connection::*then)()) {
    busy_ = pausing_ = true;
    pause_.expires_after(span);
    pause_.async_wait([self = shared_from_this(), then](boost::system::error_code failed) {
      if (failed) return;
      self->busy_ = self->pausing_ = false;
      ((*self).*then)();
    });
  }

  void read() {
    if (reading_ || !socket_.is_open()) return;
    reading_ = true;
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](boost::system::error_code failed, size_t n) {
                              self->reading_ = false;
                              if (failed) return self->close();
                              self->got(std::string_view(self->buffer_.data(), n));
                            });
  }

  void got(std::string_view bytes) {
    if (sink_.options.protocol == Protocol::http) {
      requests_.add(bytes);
      return serve();
    }
    bool sound;
    {
      std::lock_guard lock(sink_.mutex);
      sound = frames_.add(bytes, [this](std::string_view frame) { sink_.take(frame); });
    }
    if (!sound) return malformed();
    go_on();
  }

  void malformed() {
    sink_.count(&SinkCounts::malformed);
    close();
  }

  void serve() {
    if (busy_ || !socket_.is_open() || sink_.behaviour.mode == Behaviour::hang) return;
    if (!request_) request_ = requests_.next();
    if (requests_.broken()) return malformed();
    if (!request_) {
      if (requests_.wants_continue()) return write("HTTP/1.1 100 Continue\r\n\r\n", &Connection::go_on);
      return go_on();
    }
    sink_.count(&SinkCounts::requests);
    if (sink_.behaviour.mode == Behaviour::slow) return wait(sink_.behaviour.delay, &Connection::answer);
    answer();
  }

  // The frames count when the sender has its answer: until then it may send them again.
  void answer() {
    int status = 204;
    if (sink_.behaviour.mode == Behaviour::status) status = sink_.behaviour.code;
    if (request_->method != "POST" && request_->method != "PUT") status = 405;
    const bool good = status / 100 == 2;
    if (!good) sink_.count(&SinkCounts::turned_away);
    if (!request_->keep_alive || retiring_) closing_ = true;
    write("HTTP/1.1 " + std::to_string(status) +
              (good ? " No Content\r\n" : " Simulated\r\nContent-Length: 0\r\n") +
              (closing_ ? "Connection: close\r\n\r\n" : "\r\n"),
          good ? &Connection::taken : &Connection::next);
  }

  void taken() {
    {
      std::lock_guard lock(sink_.mutex);
      if (read_body_frames(request_->body, [this](std::string_view frame) { sink_.take(frame); }) > 0) {
        ++sink_.counted.malformed;
      }
    }
    next();
  }

  void next() {
    request_.reset();
    if (closing_) return close();
    serve();
  }

  void write(std::string text, void (Connection::*then)()) {
    busy_ = true;
    out_ = std::move(text);
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), then](boost::system::error_code failed, size_t) {
                        self->busy_ = false;
                        if (failed) return self->close();
                        ((*self).*then)();
                      });
  }

  friend struct Sink::Impl;
  Impl& sink_;
  tcp::socket socket_;
  asio::steady_timer pause_;
  std::array<char, 64 * 1024> buffer_;
  FrameReader frames_;
  RequestReader requests_;
  std::optional<SinkRequest> request_;
  std::string out_;
  bool reading_ = false, busy_ = false, pausing_ = false, closing_ = false, retiring_ = false;
};

// A socket that is bound but does not listen refuses connects and keeps the port.
Result<void> Sink::Impl::bind(bool listen) {
  boost::system::error_code failed;
  acceptor.close(failed);
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed && listen) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) return failed;
  if (endpoint.port() == 0) endpoint = acceptor.local_endpoint();  // once, before the thread is there
  if (listen) accept();
  return {};
}

void Sink::Impl::accept() {
  acceptor.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed) {
      count(&SinkCounts::connections);
      auto connection = std::make_shared<Connection>(*this, std::move(socket));
      connections.insert(connection);
      if (behaviour.mode == Behaviour::close) {
        count(&SinkCounts::turned_away);
        connection->reset();
      } else {
        connection->go_on();
      }
    }
    accept();
  });
}

void Sink::Impl::apply(Behaviour next) {
  const bool was_closed = behaviour.mode == Behaviour::refuse;
  behaviour = next;
  const auto all = connections;
  if (next.mode == Behaviour::refuse) {
    if (!was_closed) (void)bind(false);
    for (const auto& connection : all) connection->retire();
    return;
  }
  if (was_closed) (void)bind(true);
  for (const auto& connection : all) {
    if (next.mode == Behaviour::close) {
      connection->reset();
    } else if (options.protocol == Protocol::http) {
      connection->serve();
    } else {
      connection->go_on();
    }
  }
}

void Sink::Impl::take(std::string_view frame) {
  ++counted.received;
  counted.bytes += frame.size();
  if (is_notice(frame)) ++counted.notices;
  numbers.note(frame);
}

Sink::Sink(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Sink::~Sink() {
  stop();
}

Result<void> Sink::start() {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(impl_->options.address, failed);
  if (failed) return failed;
  impl_->endpoint = {address, impl_->options.port};
  if (const auto bound = impl_->bind(true); !bound) return bound.error();
  impl_->thread = std::thread([impl = impl_.get()] { impl->io.run(); });
  return {};
}

void Sink::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->io, [impl = impl_.get()] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    const auto all = impl->connections;
    for (const auto& connection : all) connection->close();
    impl->work.reset();
  });
  impl_->thread.join();
}

uint16_t Sink::port() const {
  return impl_->endpoint.port();
}

void Sink::set_mode(SinkBehaviour behaviour) {
  asio::post(impl_->io, [impl = impl_.get(), behaviour] { impl->apply(behaviour); });
}

SinkCounts Sink::counts() const {
  std::lock_guard lock(impl_->mutex);
  SinkCounts c = impl_->counted;
  const SequenceCheck::Counts n = impl_->numbers.counts();
  c.unique = n.unique, c.missing = n.missing, c.repeated = n.repeated, c.reordered = n.reordered;
  c.unnumbered = n.unnumbered;
  return c;
}

}  // namespace tailrace
