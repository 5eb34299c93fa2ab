#pragma once
// One sender of a sink, treated as the sink's behaviour says.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cli/sink_account.h"
#include "cli/sink_behaviour.h"
#include "cli/sink_protocol.h"
#include "cli/sink_stream.h"
#include "cli/sink_tls.h"

namespace tailrace {

class SinkConnection;

/// What a sink's connections share; lives on its thread.
struct SinkHost {
  boost::asio::io_context io{1};
  bool http = true;
  std::unique_ptr<const SinkTls> tls;  // null: none
  SinkBehaviour behaviour;
  SinkAccount account;
  std::set<std::shared_ptr<SinkConnection>> connections;  // those that are open
};

/// Lives on the sink's thread, held by its host and by what it has under way: at most one read, one write and
/// one pause.
class SinkConnection : public std::enable_shared_from_this<SinkConnection> {
 public:
  SinkConnection(SinkHost& host, boost::asio::ip::tcp::socket socket);

  /// Reads and serves on, as far as the behaviour of the moment lets it: at its beginning and after a change.
  void go_on();
  /// An orderly end: says goodbye, and reads what is on its way, for a second at most.
  void retire();
  void reset();
  void close();

 private:
  using Step = void (SinkConnection::*)();

  bool may_read() const;
  void shake();
  void read();
  void got(std::string_view bytes);
  void malformed();
  void serve();
  void answer();
  std::string answer_text(int status) const;
  void break_off();
  void drip();
  void flood();
  void answered();
  void taken();
  void next();
  void write(std::string text, Step then);
  void write_more(std::string_view text, Step then);
  void wait(std::chrono::milliseconds span, Step then);
  void finish();
  void close_soon();

  SinkHost& host_;
  SinkStream stream_;
  boost::asio::steady_timer pause_;
  std::array<char, 64 * 1024> buffer_;
  FrameReader frames_;
  RequestReader requests_;
  std::optional<SinkRequest> request_;  // is to be answered
  std::string out_;
  size_t dripped_ = 0;
  bool ready_ = false;  // to read: hands are shaken, or need not be
  bool reading_ = false, busy_ = false, pausing_ = false, closing_ = false, retiring_ = false;
};

}  // namespace tailrace
