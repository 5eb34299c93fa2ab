#include "cli/top_poller.h"

namespace tailrace {

TopPoller::~TopPoller() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TopPoller::want(TopWanted wanted, bool now) {
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = std::move(wanted);
    at_once_ = at_once_ || now;
  }
  if (now) changed_.notify_all();
}

void TopPoller::pause(bool paused) {
  {
    const std::scoped_lock lock(mutex_);
    paused_ = paused;
  }
  changed_.notify_all();
}

void TopPoller::run() {
  std::unique_lock lock(mutex_);
  Mono next = mono_now();
  while (!stopping_) {
    if (paused_ || (mono_now() < next && !at_once_)) {
      if (paused_)
        changed_.wait(lock);
      else
        changed_.wait_until(lock, next);
      continue;
    }
    at_once_ = false;
    next = mono_now() + kEvery;
    const TopWanted wanted = wanted_;
    lock.unlock();
    std::optional<ApiFailure> failed = source_.poll(wanted);
    told_(std::move(failed));
    lock.lock();
  }
}

}  // namespace tailrace
