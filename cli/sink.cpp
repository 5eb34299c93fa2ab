#include "cli/sink.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "cli/sink_connection.h"

namespace tailrace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Behaviour = SinkBehaviour;

// Lives on the sink's thread.
struct Sink::Impl {
  Options options;
  SinkHost host;
  asio::executor_work_guard<asio::io_context::executor_type> work{host.io.get_executor()};
  tcp::acceptor acceptor{host.io};
  tcp::endpoint endpoint;
  std::thread thread;

  explicit Impl(Options o) : options(std::move(o)) {
    host.http = options.protocol == Protocol::http;
    if (options.tls)
      host.tls = options.certificate ? std::make_unique<SinkTls>(*options.certificate)
                                     : std::make_unique<SinkTls>(options.address);
  }

  Result<void> bind(bool listen);
  void accept();
  void apply(Behaviour next);
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
      host.account.count(&SinkCounts::connections);
      auto connection = std::make_shared<SinkConnection>(host, std::move(socket));
      host.connections.insert(connection);
      if (host.behaviour.mode == Behaviour::close) {
        host.account.count(&SinkCounts::turned_away);
        connection->reset();
      } else {
        connection->go_on();
      }
    }
    accept();
  });
}

void Sink::Impl::apply(Behaviour next) {
  const bool was_closed = host.behaviour.mode == Behaviour::refuse;
  host.behaviour = next;
  host.account.behaves(next);
  const bool refuses = next.mode == Behaviour::refuse;
  if (refuses != was_closed) (void)bind(!refuses);
  const auto all = host.connections;
  for (const auto& connection : all) {
    if (refuses || (next.mode == Behaviour::tls && host.tls)) {
      connection->retire();
    } else if (next.mode == Behaviour::close) {
      connection->reset();
    } else {
      connection->go_on();
    }
  }
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
  impl_->thread = std::thread([impl = impl_.get()] { impl->host.io.run(); });
  return {};
}

void Sink::stop() {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->host.io, [impl = impl_.get()] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    const auto all = impl->host.connections;
    for (const auto& connection : all) connection->close();
    impl->work.reset();
  });
  impl_->thread.join();
}

uint16_t Sink::port() const {
  return impl_->endpoint.port();
}

std::string Sink::authority() const {
  return impl_->host.tls ? impl_->host.tls->authority() : std::string();
}

void Sink::set_mode(SinkBehaviour behaviour) {
  asio::post(impl_->host.io, [impl = impl_.get(), behaviour] { impl->apply(behaviour); });
}

SinkCounts Sink::counts() const {
  return impl_->host.account.counts();
}

SinkTimeline Sink::timeline() const {
  return impl_->host.account.timeline();
}

}  // namespace tailrace
