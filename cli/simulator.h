#pragma once
// A RouterModel in real time: its lines go out as they are due.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cli/outlet.h"
#include "cli/router_model.h"

namespace tailrace {

/// Runs a model on a thread of its own and sends its lines to an outlet. start() and stop() by one thread,
/// counts() by any. Lines wait while the far end is away, 20,000 of them; what comes then is counted as
/// failed.
class Simulator {
 public:
  struct Options {
    RouterModelOptions model;
    std::string platform_name = "heroku";  // APP-NAME of router and dyno lines; a token's id makes it theirs
    std::string app_name = "app";          // APP-NAME of the app's own lines
    std::optional<unsigned> numbered;  // each message ends in ` seq=CCCC-NNNNNNNNNN`, this source, from 0 on
    bool paced = true;                 // false: as fast as the outlet takes them
    Micros began_ago = 0;  // the model starts so long before now: what is due then goes out at once
    std::optional<std::chrono::milliseconds> duration;  // of simulated time; none: until stop()
  };
  struct Counts {
    uint64_t requests = 0;  // that arrived in the model
    uint64_t lines = 0;     // that were due
    uint64_t sent = 0;      // that the outlet handed over
    uint64_t failed = 0;    // lines = sent + failed + waiting
    uint64_t bytes = 0;
    uint64_t reconnects = 0;
    std::string trouble;  // the last one
  };

  Simulator(Options options, std::unique_ptr<Outlet> outlet);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  void start();
  /// Makes no further line, gives what waits up to a second to go out, counts the rest as failed. Idempotent.
  void stop();
  /// True once the duration is over and all is sent, or the outlet has ended; stop() is still due.
  bool finished() const;
  /// Blocks until finished() or `most` has passed.
  bool wait_finished(std::chrono::milliseconds most);

  /// Blocks until the past of Options::began_ago has gone out. False: the outlet ended, or `most` has passed.
  bool wait_caught_up(std::chrono::milliseconds most);

  Counts counts() const;
  /// exit_ok, or why the outlet ended.
  Exit fate() const;

 private:
  void run();
  void make_due_lines(Micros now);
  void publish();
  void tell_caught_up();

  const Options options_;
  std::unique_ptr<Outlet> outlet_;
  RouterModel model_;
  // The thread's own.
  std::optional<SimulatedLine> next_;
  std::deque<OutgoingLine> pending_;
  Micros wall_start_ = 0;
  uint64_t numbered_ = 0, lines_ = 0, failed_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false, finished_ = false, caught_up_ = false;
  Counts counts_;
  Exit fate_ = exit_ok;
  std::thread thread_;
};

}  // namespace tailrace
