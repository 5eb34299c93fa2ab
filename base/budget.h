#pragma once
// A bound on bytes that many parts of the process share.

#include <atomic>
#include <cstdint>

namespace tailrace {

/// Thread-safe. take() never exceeds the limit of its moment; what was taken is given back exactly once.
class Budget {
 public:
  explicit Budget(uint64_t limit) : limit_(limit) {}

  [[nodiscard]] bool take(uint64_t bytes) {
    const uint64_t most = limit();
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > most || used > most - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  /// From the next take() on.
  void set_limit(uint64_t limit) { limit_.store(limit, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> limit_;
  std::atomic<uint64_t> used_{0};
};

/// What one owner has taken from a budget; given back with it.
class BudgetShare {
 public:
  explicit BudgetShare(Budget& budget) : budget_(budget) {}
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;
  ~BudgetShare() { budget_.give(taken_); }

  /// False: no room, and nothing changed.
  [[nodiscard]] bool grow_to(uint64_t bytes) {
    if (bytes <= taken_) return true;
    if (!budget_.take(bytes - taken_)) return false;
    taken_ = bytes;
    return true;
  }

 private:
  Budget& budget_;
  uint64_t taken_ = 0;
};

}  // namespace tailrace
