#pragma once
// Runs what was woken on a loop, in passes that keep their distance.
//
// Waking a reader per batch collapses with many channels: a read of 64 KiB holds one record for each of them,
// and a send per record costs 8 µs. So a loop collects what is woken and runs it in one pass, and the next
// pass starts no sooner than a few times the duration of the last after its end, 20 ms at most. Under load
// the passes grow fuller; an idle loop runs at once. Short timers per reader instead would cost more than
// they save.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace tailrace {

/// Something that a Pass runs. Belongs to one loop; ends by Pass::forget on that loop's thread.
class Task {
 public:
  virtual ~Task() = default;

 protected:
  /// Does a bounded share of the work there is; Pass::again() asks for more.
  virtual void run_task() = 0;

 private:
  friend class Pass;
  std::atomic<bool> queued_{false};
};

/// One per loop. Invariant: a task that was woken runs once after the wake, however often it was woken
/// meanwhile.
class Pass {
 public:
  /// `io` need not live yet; the calls use it.
  explicit Pass(boost::asio::io_context& io) : io_(io) {}

  /// Any thread. `task` runs soon on this loop's thread.
  void wake(Task& task);

  /// The loop's thread, from run_task: there is more to do at once; others have their turn first. Not paced:
  /// a reader that lags on an idle loop has nobody to wait for. Those that lag have a bounded share: in each
  /// round of the loop they run in turn for 1 ms, or one of them.
  void again(Task& task);

  /// Nothing runs any more; forget() may still be called. Before `io` ends.
  void end() { timer_.reset(); }

  /// The loop's thread. The task will not run any more, whoever woke it; nobody may wake it afterwards.
  void forget(Task& task);

 private:
  void run();
  void run_lagging();
  static void run_one(Task& task);

  boost::asio::io_context& io_;
  std::optional<boost::asio::steady_timer> timer_;  // the loop's thread
  std::mutex mutex_;
  std::vector<Task*> woken_;     // guarded by mutex_
  bool scheduled_ = false;       // guarded by mutex_: a pass will run
  std::vector<Task*> current_;   // the loop's thread: what the pass under way runs
  std::deque<Task*> lagging_;    // the loop's thread: what has more to do
  bool lagging_posted_ = false;  // the loop's thread: run_lagging() is
  Mono next_start_{};            // the loop's thread
};

}  // namespace tailrace
