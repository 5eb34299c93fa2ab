#include "base/loops.h"

#include <algorithm>

#include "base/thread_name.h"

namespace tailrace {

EventLoops::EventLoops(size_t threads) {
  for (size_t i = 0; i < std::max<size_t>(1, threads); ++i) {
    loops_.push_back(std::make_unique<Loop>());
    loops_.back()->index = i;
  }
}

EventLoops::~EventLoops() {
  stop();
}

void EventLoops::start() {
  for (auto& loop : loops_) {
    work_.push_back(asio::make_work_guard(loop->io));
    threads_.emplace_back([&loop = *loop] {
      name_this_thread("loop " + std::to_string(loop.index));
      loop.io.run();
    });
  }
}

void EventLoops::stop() {
  work_.clear();
  for (auto& loop : loops_) loop->io.stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

Loop& EventLoops::least_loaded() {
  const auto load = [](const auto& loop) { return loop->connections.load(std::memory_order_relaxed); };
  return **std::ranges::min_element(loops_, {}, load);
}

}  // namespace tailrace
