#pragma once
// The process's event loops: one thread each, one io_context each.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "base/pass.h"
#include "base/turns.h"

namespace tailrace {

namespace asio = boost::asio;

/// One event loop and its thread. What is bound to a loop is touched by its thread alone.
struct Loop {
  Loop() = default;
  // What is still suspended on `io` is destroyed with it, and may ask the pass to forget it.
  ~Loop() { pass.end(); }

  size_t index = 0;
  Pass pass{io};  // runs the drains and tails of this loop; outlives io
  asio::io_context io{1};
  Turns turns{io};                       // who catches up here waits in line
  std::atomic<uint32_t> connections{0};  // how loaded it is; kept by Connected below
};

/// Counts one connection on a loop for as long as it lives.
class Connected {
 public:
  explicit Connected(Loop& loop) : loop_(&loop) {
    loop_->connections.fetch_add(1, std::memory_order_relaxed);
  }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;
  ~Connected() { loop_->connections.fetch_sub(1, std::memory_order_relaxed); }

 private:
  Loop* loop_;
};

/// Owns N loops. start() runs them; stop() ends them and joins. Built and ended by the main thread.
class EventLoops {
 public:
  explicit EventLoops(size_t threads);
  ~EventLoops();
  EventLoops(const EventLoops&) = delete;
  EventLoops& operator=(const EventLoops&) = delete;

  void start();
  void stop();

  size_t size() const { return loops_.size(); }
  Loop& operator[](size_t i) { return *loops_[i]; }
  /// The one with the fewest connections; any thread may ask.
  Loop& least_loaded();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::vector<std::thread> threads_;
};

}  // namespace tailrace
