#pragma once
// A log read in order by a thread that may block.

#include <boost/asio/executor_work_guard.hpp>
#include <stop_token>

#include "base/loops.h"
#include "channels/cursor.h"

namespace tailrace {

class Log;

/// A tail of its own, on a loop that nobody else runs: whoever calls next() does, while a disk is asked. What
/// it has still to read is not given up for want of disk.
class LogReader final : private Task {
 public:
  /// Begins with the first record at `from` or behind it. `loop` and `log` outlive it; one thread.
  LogReader(Log& log, Loop& loop, Position from);
  ~LogReader();

  /// Empty: it has come to the end, or is to stop.
  Slice next(const std::stop_token& stop);

 private:
  void run_task() override { woken_ = true; }

  Loop& loop_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Cursor cursor_;
  bool woken_ = false;
};

}  // namespace tailrace
