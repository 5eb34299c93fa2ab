#pragma once
// What open windows of all channels and threads may take together.

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include "base/clock.h"

namespace tailrace {

/// Thread-safe; add() and give() take no lock but to wake somebody. The limit is for what can wait: values of
/// the newest minutes are counted in any case, and are bounded by the series there are.
class OpenRoom {
 public:
  explicit OpenRoom(uint64_t bytes) : limit_(bytes) {}

  /// Where values of older minutes go.
  enum class Room : uint8_t {
    windows,  // as fine as their age allows
    hours,    // there is too much already: into hours alone
    none      // twice as much
  };
  /// For a thread's share of a channel that takes `share` bytes. One share may not use up what is
  /// everybody's.
  Room room(uint64_t share) {
    const uint64_t limit = limit_.load(std::memory_order_relaxed);
    const uint64_t all = used_.load(std::memory_order_relaxed);
    if (all < limit && share < limit / kShares) return Room::windows;
    if (!crowded_.load(std::memory_order_relaxed)) crowd();
    return all < 2 * limit && share < 2 * limit / kShares ? Room::hours : Room::none;
  }

  /// Negative: less than before.
  void add(int64_t bytes) {
    const uint64_t used = used_.fetch_add(static_cast<uint64_t>(bytes), std::memory_order_relaxed) +
                          static_cast<uint64_t>(bytes);
    if (used >= limit_.load(std::memory_order_relaxed) && !crowded_.load(std::memory_order_relaxed)) crowd();
  }
  /// Somebody should take soon, whatever the bytes say.
  void hurry() {
    if (!crowded_.load(std::memory_order_relaxed)) crowd();
  }
  void give(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  /// Lines for whose values there was no room, since the start.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  void set_limit(uint64_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }

  /// There was too much since the last begin_round().
  bool crowded() const { return crowded_.load(std::memory_order_relaxed); }
  /// Before everything is taken.
  void begin_round() { crowded_.store(false, std::memory_order_relaxed); }
  /// Until `until`; shorter, but not before `from`, if it is crowded; ends at once when asked to stop.
  void wait(const std::stop_token& stop, Mono until, Mono from) {
    std::unique_lock lock(mutex_);
    waiting_.wait_until(lock, stop, std::min(from, until), [] { return false; });
    waiting_.wait_until(lock, stop, until, [this] { return crowded(); });
  }

 private:
  static constexpr uint64_t kShares = 8;

  void crowd() {
    if (crowded_.exchange(true)) return;
    {
      const std::lock_guard lock(mutex_);
    }  // who has just looked waits by now
    waiting_.notify_all();
  }

  std::atomic<uint64_t> limit_, used_{0}, dropped_{0};
  std::atomic<bool> crowded_{false};
  std::mutex mutex_;
  std::condition_variable_any waiting_;
};

/// What one owner holds of it; moved, not copied, and given back with it.
class OpenBytes {
 public:
  explicit OpenBytes(OpenRoom* room = nullptr) : room_(room) {}
  OpenBytes(OpenBytes&& other) noexcept
      : room_(std::exchange(other.room_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  OpenBytes& operator=(OpenBytes&& other) noexcept {
    std::swap(room_, other.room_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~OpenBytes() {
    if (room_) room_->give(bytes_);
  }

  void add(size_t before, size_t after) {
    if (before == after) return;
    bytes_ += after - before;
    if (room_) room_->add(static_cast<int64_t>(after - before));
  }
  uint64_t bytes() const { return bytes_; }

 private:
  OpenRoom* room_;
  uint64_t bytes_ = 0;
};

}  // namespace tailrace
