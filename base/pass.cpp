#include "base/pass.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace tailrace {
namespace {

constexpr int kSpacing = 3;  // times the last pass's duration
constexpr auto kLongestWait = std::chrono::milliseconds(20);
constexpr auto kTooShortToWait = std::chrono::microseconds(20);  // a timer costs as much

}  // namespace

void Pass::wake(Task& task) {
  if (task.queued_.exchange(true, std::memory_order_acq_rel)) return;
  {
    const std::lock_guard lock(mutex_);
    woken_.push_back(&task);
    if (std::exchange(scheduled_, true)) return;
  }
  boost::asio::post(io_, [this] {
    const Mono now = mono_now();
    if (next_start_ - now < kTooShortToWait) return run();
    if (!timer_) timer_.emplace(io_);
    timer_->expires_at(next_start_);
    timer_->async_wait([this](boost::system::error_code ec) {
      if (!ec) run();
    });
  });
}

void Pass::again(Task& task) {
  if (task.queued_.exchange(true, std::memory_order_acq_rel)) return;
  {
    const std::lock_guard lock(mutex_);
    woken_.push_back(&task);
    scheduled_ = true;
  }
  // Also when a paced pass is due later; that one then finds less to do, or nothing.
  if (!std::exchange(urgent_, true)) boost::asio::post(io_, [this] { run(); });
}

void Pass::run() {
  const Mono start = mono_now();
  {
    const std::lock_guard lock(mutex_);
    current_.swap(woken_);
    scheduled_ = false;
  }
  urgent_ = false;
  for (size_t i = 0; i < current_.size(); ++i) {
    Task* task = current_[i];
    if (!task) continue;
    // Before it runs: what is woken while it runs must run again.
    task->queued_.store(false, std::memory_order_release);
    task->run_task();
  }
  current_.clear();
  const Mono end = mono_now();
  next_start_ = end + std::min<Mono::duration>((end - start) * kSpacing, kLongestWait);
}

void Pass::forget(Task& task) {
  const std::lock_guard lock(mutex_);
  std::erase(woken_, &task);
  std::replace(current_.begin(), current_.end(), &task, static_cast<Task*>(nullptr));
}

}  // namespace tailrace
