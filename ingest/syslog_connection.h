#pragma once
// One sender of syslog over TCP or TLS.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/budget.h"
#include "base/log.h"
#include "base/loops.h"
#include "ingest/frame_scanner.h"
#include "ingest/intake.h"
#include "net/tls_socket.h"

namespace tailrace {

class SyslogConnection;

/// What the connections of one loop share. Touched by the loop's thread alone, `open` aside.
struct SyslogLoop {
  SyslogLoop(Loop& loop, Intake& intake, const Store& store, IngestStats& stats, Budget& held,
             HandshakeCounts& handshakes);

  /// Sees to it that frames which never become whole are given up.
  void sweep_later();

  Loop& loop;
  Intake& intake;
  const Store& store;
  IngestStats& stats;
  Budget& held;  // bounds the bytes of begun frames, of all loops together
  HandshakeCounts& handshakes;
  std::vector<char> buffer;  // every read of every connection goes here
  std::unordered_set<SyslogConnection*> connections;
  std::atomic<size_t> open{0};
  size_t most = SIZE_MAX;  // connections
  OncePerSecond too_many;
  asio::steady_timer sweep;
  bool sweeping = false;
};

/// Lives on one loop, by the handlers that hold it, until its peer closes, a bound is broken, or the server
/// stops. TLS begins with a handshake, for ten seconds at most. Between reads it keeps only the bytes of a
/// frame that is not whole. While the store has no room nothing is read: the sender's kernel holds it back.
class SyslogConnection : public std::enable_shared_from_this<SyslogConnection> {
 public:
  /// `token_id`: the listener's; empty: each record names its own. `tls`: null for plain TCP.
  SyslogConnection(SyslogLoop& here, asio::ip::tcp::socket socket, std::string token_id, SslPtr tls);
  ~SyslogConnection();

  void start();
  /// The process ends: what the sender's kernel was told is received is taken still, if there is room.
  void finish();
  /// Gives up a frame that has been held for a minute without becoming whole, and the connection with it.
  void give_up_if_overdue(Mono now);

 private:
  void wait();
  void go_on();
  void pause(std::chrono::milliseconds time);
  bool shake_hands();
  Io receive(std::span<char> into, size_t& count);
  bool read_once();
  bool take(std::string_view bytes);
  bool account();
  bool ended();
  void reject(RejectReason reason);
  void close();

  SyslogLoop& here_;
  const Connected connected_;
  asio::ip::tcp::socket socket_;
  TlsSocket tls_;
  const Protocol protocol_;
  asio::steady_timer timer_;  // of the handshake, later of pause()
  const std::string token_id_;
  StreamScanner scanner_;
  std::string rest_;        // of a frame that is not whole
  size_t needed_ = 0;       // bytes that make rest_ whole; 0: a newline does
  Mono rest_since_{};       // when rest_ was last empty
  uint64_t accounted_ = 0;  // what rest_ takes from the budget
  bool finishing_ = false, held_back_ = false;
};

}  // namespace tailrace
