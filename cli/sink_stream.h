#pragma once
// One connection's bytes, with TLS or without.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace tailrace {

/// Lives on the sink's thread. Whoever starts something keeps the stream alive until it is done. At most one
/// read and one write are under way.
class SinkStream {
 public:
  using tcp = boost::asio::ip::tcp;
  using Done = std::function<void(boost::system::error_code, size_t)>;

  explicit SinkStream(tcp::socket socket) : socket_(std::move(socket)) {}

  /// As the server; from here on everything is TLS.
  void handshake(boost::asio::ssl::context& how, std::function<void(boost::system::error_code)> done);
  void read_some(std::span<char> into, Done done);
  void write(std::string_view all, Done done);

  bool is_open() const { return socket_.is_open(); }
  /// Its peer has said its last word, or is gone; whatever it sent before may still be unread.
  bool peer_left();
  /// TLS's orderly end; at once without TLS.
  void goodbye(std::function<void(boost::system::error_code)> done);
  /// Says its own last word; still reads.
  void half_close();
  void close();
  void reset();

 private:
  tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
};

}  // namespace tailrace
