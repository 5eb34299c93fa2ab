#pragma once
// A mutex that is given to who has waited longest.

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tailrace {

/// For std::lock_guard. Who locks it again and again lets everybody who waits have it in between, which
/// std::mutex does not promise.
class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const uint64_t mine = next_++;
    turn_.wait(lock, [&] { return serving_ == mine; });
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }
  /// Threads that have asked for it and do not have it.
  uint64_t waiting() const {
    const std::lock_guard lock(mutex_);
    return next_ > serving_ ? next_ - serving_ - 1 : 0;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable turn_;
  uint64_t next_ = 0, serving_ = 0;
};

}  // namespace tailrace
