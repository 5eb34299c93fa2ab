#pragma once
// A drain that speaks syslog over TCP, or over TLS.

#include <deque>

#include "base/backoff.h"
#include "drains/drain.h"
#include "drains/frames.h"
#include "drains/syslog_link.h"
#include "drains/target.h"

namespace tailrace {

/// Copies frames into a scratch of its thread and gives them to its link. Delivered means acknowledged by the
/// far end's TCP, so a record in flight is kept until then and sent again on the next connection. Records
/// that the filter does not want are never sent, only counted, and settled in their turn.
///
/// What is in flight is bounded (a MiB, or its share of the memory of batches if that is less): beyond that
/// nothing is read. Of chunks that hold mostly what others wait for, it keeps copies over a rest.
///
/// Connects when there is something to send; a connection that has idled or is old is ended in order. One
/// that worked and breaks is made again at once; after a failure the next try waits (Backoff).
///
/// A kernel acknowledges what its program never reads. So after a stall the far end is not called well again
/// before it has acknowledged more than a kernel holds, or everything for a while.
class SyslogDrain final : public Drain, private SyslogLinkOwner {
 public:
  SyslogDrain(Loop& loop, const DrainEntry& entry, JudgedTarget judged, DrainServices services);

  void start() override;

 private:
  /// Frames given to the link and not acknowledged yet, in order.
  struct InFlight {
    Slice slice;            // a run of wanted records; empty for a loss frame
    std::string loss;       // the L10 frame
    Loss told;              // what it tells
    uint64_t unwanted = 0;  // records behind it, up to the next one
    uint64_t end = 0;       // where it ends in the bytes given to the link
    Mono began{};           // when its first byte was given
  };
  enum class State : uint8_t { down, connecting, waiting, up };

  void shut() override;
  void turn() override;
  void run_task() override;
  void give_back_losses() override;

  bool has_something_to_send();
  static asio::awaitable<void> connect(std::shared_ptr<SyslogDrain> self);
  void connected(std::shared_ptr<SyslogLink> link);
  void try_later(const NetFailure& why, Micros since);
  void break_off();
  void retire();
  bool reads_again() const;
  void look_again();

  void link_free() override;
  void link_acknowledged() override;
  void link_due() override;
  void link_ended(const NetFailure& why) override;

  void pump();
  Slice read();
  template <class F>
  void pick(const Slice& slice, F&& use);
  bool send_frames(const Slice& slice);
  bool send_loss();
  bool send(std::string_view bytes);
  void send_again();
  uint64_t size_of(const InFlight& item) const;

  void keep_in_flight(const Slice& run, uint64_t end);
  void leave_out(uint64_t records, Micros next);
  void forget_first();
  bool holds_too_much() const;
  bool is_full();
  void settle_down();
  void count_pinned();

  void settle_acknowledged();
  void settle_partly();
  void settle(uint64_t wanted, uint64_t unwanted);
  Micros oldest_in_flight() const;

  const DrainTarget target_;
  const DrainOptions options_;
  const DrainServices services_;
  const ClientTls tls_;
  const Frames frames_;

  State state_ = State::down;
  std::shared_ptr<SyslogLink> link_;           // of State::up
  std::shared_ptr<ConnectCancel> connecting_;  // of State::connecting
  TlsReturn back_;
  asio::steady_timer timer_;  // of the next try, or of the end of a doubt
  uint64_t waits_ = 0;        // counts its uses, so that a late handler knows that its own is over
  bool blocked_ = false;      // the link has no room
  bool full_ = false;         // too much is in flight
  bool retiring_ = false;     // the link ends when nothing is in flight
  bool doubtful_ = false;     // the far end stalled, and has not shown yet that it reads
  int stalls_ = 0;            // and how often
  Backoff backoff_;

  std::deque<InFlight> in_flight_;
  uint64_t pinned_ = 0;  // bytes of its chunks, those that neighbours share once
  Micros down_since_ = 0;
};

}  // namespace tailrace
