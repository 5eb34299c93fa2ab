#pragma once
// What every drain is, whatever its transport: a cursor, its health, and telling what was lost.

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <string>

#include "base/loops.h"
#include "channels/catalog.h"
#include "channels/cursor.h"
#include "channels/log.h"
#include "drains/certificate_notice.h"
#include "drains/health.h"
#include "drains/history.h"
#include "drains/over_time.h"
#include "drains/syslog_link.h"
#include "net/connector.h"
#include "net/http_client.h"

namespace tailrace {

/// What all drains share; outlives them.
struct DrainServices {
  Connector& connector;
  const ClientTls& tls;
  uint64_t batch_memory = 64u << 20;                        // of all batches in flight together, about
  const std::atomic<uint64_t>* most_batch_bytes = nullptr;  // its share per drain; the DrainSet's
  uint64_t history_memory = 32u << 20;                      // of what all drains did over time, about
  SyslogLimits syslog = {};

  uint64_t batch_bytes() const {
    return most_batch_bytes ? most_batch_bytes->load(std::memory_order_relaxed) : batch_memory;
  }
};

/// What the outside may know of a drain now.
struct DrainStatus {
  DrainState state = DrainState::pending;
  Micros since = 0;
  std::string cause;       // of failing and paused
  int last_status = 0;     // of HTTP; 0: none yet
  std::string last_error;  // empty: none yet
  Micros next_try = 0;     // 0: none is planned
  uint64_t told = 0;       // of HTTP: records lost that the far end was told of, or would not hear of
};

/// Lives on one loop, held by a DrainSet and by what it has under way there. Made by any thread, then start()
/// and stop() on its loop; after stop() nothing of it runs but what ends by itself.
class Drain : public Task, public std::enable_shared_from_this<Drain> {
 public:
  Drain(Loop& loop, const DrainEntry& entry);

  /// Begins where its entry says; call it on the thread that adds the drain, so that nothing the entry counts
  /// as its own is given up before. `wanted`: its filter.
  void attach(RecordFilterPtr wanted) {
    cursor_.set_wanted(std::move(wanted));
    cursor_.attach(*entry_.channel->log, Place::resume(entry_.start));
  }
  /// Instead: takes the place of `before`, which runs on the same loop, with all that it knows, and goes back
  /// to `from`. Gives Cursor::take_over(); 0: nothing was changed. Then `before` is to be stopped, and this
  /// one started.
  uint64_t take_over(Drain& before, const Progress& from, RecordFilterPtr wanted);
  /// The same where `before` stands, for another far end: of what it knows only what was lost is taken.
  void succeed(Drain& before, RecordFilterPtr wanted);
  virtual void start() = 0;
  void stop();
  /// Its owner lets it rest: nothing is sent, what was under way is broken off and comes again; the cursor
  /// stays, and what bounds take from it is counted and told. Its loop.
  /// `since`: when he said so. `tell`: his channel does not know yet.
  void hold(Micros since, bool tell);
  /// Goes on at once, whatever it waited for: its owner, or the far end, or the next try. Its loop.
  void resume();

  /// The process ends: what waits for company goes as it is, and losses are told now. Its loop.
  virtual void hurry();

  const DrainEntry& entry() const { return entry_; }
  Loop& loop() { return loop_; }
  const Cursor& cursor() const { return cursor_; }
  DrainStatus status() const;                                // any thread
  DrainState state() const;                                  // any thread
  const DrainHistory& history() const { return *history_; }  // any thread
  std::shared_ptr<const DrainHistory> shared_history() const { return history_; }

  // What it did over time. Any thread, while the drain is attached and nobody takes its place.
  void look(Micros now) const { over_time_->look(cursor_, state(), now); }
  DrainPast past(Micros now) const { return over_time_->past(cursor_, state(), now); }
  void hold_history_bound(uint64_t most) const { over_time_->hold_bound(most); }

 protected:
  /// Closes what is open; called once, by stop().
  virtual void shut() = 0;
  /// hold() or resume() was called: breaks off what is under way, or goes on as if nothing had failed.
  virtual void turn() = 0;

  /// Tells what was lost, in the channel at most once a second, and keeps it for the drain's own L10 frame.
  /// Call it from run_task() and after a record was refused.
  void tell_losses();
  /// The loss that the far end has not been told yet; a batch that carries it takes it.
  Loss take_own_loss() { return std::exchange(own_loss_, {}); }
  void give_back_own_loss(const Loss& loss);
  /// Gives back the losses in flight, for another drain takes this one's place.
  virtual void give_back_losses() = 0;

  // Changes of health, told in the channel when they are changes.

  /// The far end took `records`; `filtered` others among them it was never sent.
  void delivered(uint64_t records, Micros oldest_left, uint64_t filtered = 0);
  /// The same of a far end that may be hung although its kernel acknowledges: it counts, and proves nothing.
  void delivered_in_doubt(uint64_t records, Micros oldest_left, uint64_t filtered);
  /// Records in flight that the filter does not want, while nothing before them is.
  void filtered(uint64_t records, Micros oldest_left);
  /// A certificate that is to blame is told as L14 too. `since`: when the trouble began, if not now.
  void failed(const NetFailure& why, Micros since = 0);
  void paused(const std::string& cause);
  /// The oldest record in flight is refused for good.
  void refused(const Slice& record, const std::string& cause, Micros oldest_left);
  /// A request was answered, whatever the answer.
  void answered(std::chrono::microseconds took, Mono now);
  /// The far end was told of so many losses.
  void told(uint64_t records);
  void set_last_status(int status);
  void set_next_try(Micros at);

  bool stopped() const { return stopped_; }
  bool held() const { return held_; }
  bool is_paused() const { return health_.state() == DrainState::paused; }

  Loop& loop_;
  const DrainEntry entry_;
  Cursor cursor_;

 private:
  uint64_t dropped() const { return cursor_.ledger().dropped_total(); }
  void note();
  void tell_recovery();
  void say(const std::optional<std::string>& line);
  void publish(const std::string& error = {});

  std::shared_ptr<DrainHistory> history_ = std::make_shared<DrainHistory>();
  std::shared_ptr<DrainOverTime> over_time_;  // looked at while cursor_ is attached
  DrainHealth health_;
  CertificateNotice certificates_;
  std::optional<Ledger>
      before_doubt_;  // before what was delivered while the far end was not known to be well
  Loss own_loss_;
  asio::steady_timer loss_timer_;
  Mono next_loss_{};
  bool loss_timer_set_ = false, stopped_ = false, held_ = false;

  mutable std::mutex status_mutex_;
  DrainStatus status_;  // guarded by status_mutex_
};
using DrainPtr = std::shared_ptr<Drain>;

}  // namespace tailrace
