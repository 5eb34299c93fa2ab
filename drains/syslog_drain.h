#pragma once
// A drain that speaks syslog over TCP.

#include <boost/asio/ip/tcp.hpp>
#include <deque>

#include "base/backoff.h"
#include "drains/drain.h"
#include "drains/frames.h"
#include "drains/target.h"

namespace tailrace {

/// Copies frames into a scratch of its thread and sends without blocking; what the socket does not take at
/// once moves into the drain and waits for it. Delivered means acknowledged by the far end's TCP (SIOCOUTQ),
/// so a record in flight is kept until then and sent again on the next connection.
///
/// Connects when there is something to send. A connection that worked and breaks is made again at once; after
/// a failure the next try waits (Backoff). No acknowledgement for 15 s ends a connection.
class SyslogDrain final : public Drain {
 public:
  SyslogDrain(Loop& loop, const DrainEntry& entry, DrainTarget target, DrainServices services);

  void start() override;

 private:
  /// Frames written to the connection and not acknowledged yet, in order.
  struct InFlight {
    Slice slice;       // empty for a loss frame
    std::string loss;  // the L10 frame
    uint64_t end = 0;  // where it ends in the connection's bytes
    Mono began{};      // when its first byte was sent
  };
  enum class Link : uint8_t { down, connecting, waiting, up };

  void shut() override;
  void turn() override;
  void run_task() override;

  static asio::awaitable<void> connect(std::shared_ptr<SyslogDrain> self);
  void connected(asio::ip::tcp::socket socket);
  void try_later(Micros since, const std::string& cause);
  void broken(const std::string& cause, bool stalled = false);
  void close_link();
  void watch_far_end();

  void pump();
  bool send_frames(const Slice& slice);
  bool send_loss();
  bool send(std::string_view bytes);
  bool flush_rest();
  void wait_writable();
  void write_again();

  bool settle_acknowledged();
  void settle_partly(InFlight& front, uint64_t acknowledged);
  void check_later();
  Micros oldest_in_flight() const;

  const DrainTarget target_;
  const DrainServices services_;
  const SyslogFrames frames_;

  Link link_ = Link::down;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;        // of the next try
  asio::steady_timer check_timer_;  // of acknowledgements
  bool checking_ = false, blocked_ = false;
  uint64_t connection_ = 0;  // counts them, so that late handlers know theirs is over
  Backoff backoff_;

  uint64_t written_ = 0, acknowledged_ = 0;  // bytes of this connection
  std::string rest_;                         // what the socket has not taken yet
  size_t rest_at_ = 0;
  std::deque<InFlight> in_flight_;
  Mono connected_at_{}, last_progress_{};
  Micros down_since_ = 0;
};

}  // namespace tailrace
