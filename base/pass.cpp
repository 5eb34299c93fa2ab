#include "base/pass.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace tailrace {
namespace {

constexpr int kSpacing = 3;  // times the last pass's duration
constexpr auto kLongestWait = std::chrono::milliseconds(20);
constexpr auto kLaggingShare = std::chrono::milliseconds(1);     // of one round of the loop
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
  lagging_.push_back(&task);
  if (!std::exchange(lagging_posted_, true)) boost::asio::post(io_, [this] { run_lagging(); });
}

void Pass::run_one(Task& task) {
  // Before it runs: what is woken while it runs must run again.
  task.queued_.store(false, std::memory_order_release);
  task.run_task();
}

void Pass::run() {
  const Mono start = mono_now();
  {
    const std::lock_guard lock(mutex_);
    current_.swap(woken_);
    scheduled_ = false;
  }
  for (size_t i = 0; i < current_.size(); ++i) {
    if (Task* task = current_[i]) run_one(*task);
  }
  current_.clear();
  const Mono end = mono_now();
  next_start_ = end + std::min<Mono::duration>((end - start) * kSpacing, kLongestWait);
}

/// Each of them once at most.
void Pass::run_lagging() {
  lagging_posted_ = false;
  const Mono end = mono_now() + kLaggingShare;
  for (size_t left = lagging_.size(); left > 0 && !lagging_.empty(); --left) {
    Task* const task = lagging_.front();
    lagging_.pop_front();
    run_one(*task);
    if (mono_now() >= end) break;
  }
  if (!lagging_.empty() && !std::exchange(lagging_posted_, true))
    boost::asio::post(io_, [this] { run_lagging(); });
}

void Pass::forget(Task& task) {
  const std::lock_guard lock(mutex_);
  std::erase(woken_, &task);
  std::erase(lagging_, &task);
  std::replace(current_.begin(), current_.end(), &task, static_cast<Task*>(nullptr));
}

}  // namespace tailrace
