#pragma once
// A store whose answers come later, from a thread of its own: what is in front of a store on disk meets.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "channels/errc.h"
#include "channels/memory_log.h"

namespace tailrace::testing {

/// Keeps records as the memory store does. What it says of an append or a post it says on its thread, in the
/// order they came, while it is not held.
class LaterStore final : public Store {
 public:
  LaterStore() : thread_([this] { answer(); }) {}
  ~LaterStore() override { stop(); }

  std::unique_ptr<Log> open(Channel& channel) override { return std::make_unique<LaterLog>(*this, channel); }
  bool has_room() const override { return ++asked_for_room, room; }
  std::string trouble() const override { return room ? "" : "unable to store: No space left on device"; }
  void set_limits(const StoreLimits& /*limits*/) override {}
  void remember(PostVerdict post, std::shared_ptr<const std::atomic<bool>> refused,
                AppendWaiter& waiter) override {
    later([this, post = std::move(post), refused = std::move(refused), &waiter] {
      if (*refused || !keeps_posts) return waiter.appended(make_error_code(ChannelErrc::no_room));
      {
        const std::lock_guard lock(mutex_);
        posts_.push_back(post);
      }
      waiter.appended(Position{});
    });
  }

  /// So many answers more, then none until more are asked for.
  void hold(int answers = 0) {
    const std::lock_guard lock(mutex_);
    left_ = answers;
    changed_.notify_all();
  }
  void release() { hold(INT32_MAX); }
  size_t waiting() {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }
  std::vector<PostVerdict> posts() {
    const std::lock_guard lock(mutex_);
    return posts_;
  }
  /// Says all that waits, and ends the thread.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
  }

  std::atomic<bool> room{true}, keeps_posts{true};
  mutable std::atomic<int> asked_for_room{0};
  std::atomic<int> failing{0};  // so many appends to come have no room

 private:
  class LaterLog final : public MemoryLog {
   public:
    LaterLog(LaterStore& store, const Channel& channel)
        : MemoryLog(channel, {}, Position{1000}, nullptr, store.pressure_), store_(store) {}
    void append(const Batch& batch, AppendWaiter& waiter) override {
      struct Now final : AppendWaiter {
        void appended(Result<Position> result) override { first = result; }
        Result<Position> first = Position{};
      } now;
      if (store_.failing.fetch_sub(1) > 0) {
        now.first = make_error_code(ChannelErrc::no_room);
      } else {
        ++store_.failing;
        MemoryLog::append(batch, now);
      }
      store_.later([first = now.first, &waiter] { waiter.appended(first); });
    }

   private:
    LaterStore& store_;
  };

  void later(std::function<void()> say) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(say));
    changed_.notify_all();
  }
  void answer() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || (left_ > 0 && !queue_.empty()); });
      if (queue_.empty()) return;
      const auto say = std::move(queue_.front());
      queue_.pop_front();
      --left_;
      lock.unlock();
      say();
      lock.lock();
    }
  }

  MemoryPressure pressure_{1u << 30, [] {}};
  std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::deque<std::function<void()>> queue_;
  std::vector<PostVerdict> posts_;
  int left_ = INT32_MAX;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tailrace::testing
