#pragma once
// A log as one on disk is: what comes next is not at hand, is asked for, and comes from another thread.

#include <condition_variable>
#include <deque>
#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "channels/memory_log.h"

namespace tailrace::testing {

/// Brings what logs ask for, one read of `bytes` at a time. Ends before the logs.
class SlowDisk {
 public:
  explicit SlowDisk(uint32_t bytes) : read_bytes(bytes), thread_([this] { bring_all(); }) {}
  ~SlowDisk() { stop(); }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void ask(std::function<void()> bring) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(std::move(bring));
    changed_.notify_all();
  }
  /// So many more, then none until more are allowed.
  void hold(int reads = 0) {
    const std::lock_guard lock(mutex_);
    left_ = reads;
    changed_.notify_all();
  }
  void release() { hold(INT32_MAX); }
  /// All that may be brought was, and somebody waits for more.
  bool holds_somebody() {
    const std::lock_guard lock(mutex_);
    return left_ == 0 && !bringing_ && !asked_.empty();
  }
  int brought() {
    const std::lock_guard lock(mutex_);
    return brought_;
  }

  const uint32_t read_bytes;

 private:
  void bring_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || (left_ > 0 && !asked_.empty()); });
      if (stopping_) return;
      const auto bring = std::move(asked_.front());
      asked_.pop_front();
      --left_;
      ++brought_;
      bringing_ = true;
      lock.unlock();
      bring();
      lock.lock();
      bringing_ = false;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::deque<std::function<void()>> asked_;
  int left_ = INT32_MAX, brought_ = 0;
  bool bringing_ = false, stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

class SlowLog final : public MemoryLog {
 public:
  SlowLog(SlowDisk& disk, const Channel& channel, Position first, MemoryPressure& pressure)
      : MemoryLog(channel, {.history = 1'000'000, .bytes = 1u << 30}, first, nullptr, pressure),
        disk_(disk) {}

  Read read(CursorState& cursor, uint32_t max_bytes) override {
    {
      const std::lock_guard lock(mutex_);
      if (cursor.ordinal < ring_.end_ordinal() && !at_hand_.contains(&cursor)) {
        Read result;
        if (begin_read(cursor, result) <= cursor.ordinal) return result;  // a notice comes first
        result.fetching = true;
        if (!std::exchange(cursor.fetching, true)) {
          waits_.insert(&cursor);
          disk_.ask([this, &cursor] { bring(cursor); });
        }
        return result;
      }
      at_hand_.erase(&cursor);
    }
    return MemoryLog::read(cursor, std::min(max_bytes, disk_.read_bytes));
  }
  bool park(CursorState& cursor) override {
    {
      const std::lock_guard lock(mutex_);
      if (cursor.fetching) return cursor.parked = true;
    }
    return MemoryLog::park(cursor);
  }
  void detach(CursorState& cursor) override {
    {
      const std::lock_guard lock(mutex_);
      waits_.erase(&cursor);
      at_hand_.erase(&cursor);
    }
    MemoryLog::detach(cursor);
  }

 private:
  void bring(CursorState& cursor) {
    const std::lock_guard lock(mutex_);
    if (!waits_.erase(&cursor)) return;
    at_hand_.insert(&cursor);
    cursor.fetching = false;
    if (std::exchange(cursor.parked, false)) cursor.pass->wake(*cursor.task);
  }

  SlowDisk& disk_;
  std::set<CursorState*> waits_, at_hand_;  // guarded by mutex_
};

class SlowStore final : public Store {
 public:
  explicit SlowStore(SlowDisk& disk) : disk_(disk) {}
  std::unique_ptr<Log> open(Channel& channel) override {
    return std::make_unique<SlowLog>(disk_, channel, Position{1000}, pressure_);
  }
  void set_limits(const StoreLimits& /*limits*/) override {}

 private:
  SlowDisk& disk_;
  MemoryPressure pressure_{1u << 30, [] {}};
};

}  // namespace tailrace::testing
