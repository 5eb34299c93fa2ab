#include "cli/sink_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/write.hpp>

namespace tailrace {

namespace asio = boost::asio;

void SinkStream::handshake(asio::ssl::context& how, std::function<void(boost::system::error_code)> done) {
  tls_.emplace(socket_, how);
  tls_->async_handshake(asio::ssl::stream_base::server, std::move(done));
}

void SinkStream::read_some(std::span<char> into, Done done) {
  const auto buffer = asio::buffer(into.data(), into.size());
  if (tls_) return tls_->async_read_some(buffer, std::move(done));
  socket_.async_read_some(buffer, std::move(done));
}

void SinkStream::write(std::string_view all, Done done) {
  const auto buffer = asio::buffer(all.data(), all.size());
  if (tls_) return asio::async_write(*tls_, buffer, std::move(done));
  asio::async_write(socket_, buffer, std::move(done));
}

bool SinkStream::peer_left() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return info.tcpi_state != TCP_ESTABLISHED && info.tcpi_state != TCP_FIN_WAIT1 &&
         info.tcpi_state != TCP_FIN_WAIT2;
}

void SinkStream::goodbye(std::function<void(boost::system::error_code)> done) {
  if (!tls_) return done({});
  tls_->async_shutdown(std::move(done));
}

void SinkStream::half_close() {
  boost::system::error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

void SinkStream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void SinkStream::reset() {
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

}  // namespace tailrace
