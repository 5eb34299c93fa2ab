#pragma once
// So many per second, and no more.

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace tailrace {

/// A bucket that holds one second of the rate (the generic cell rate algorithm of ITU-T I.371: one moment
/// says how full it is). What comes at once is judged as one: it passes if the bucket holds as much, or is
/// full when it asks for more than fits, and what it then owes is waited off by those who come next, for a
/// minute at most. So a batch larger than a second's worth is slow, but neither it nor what comes behind it
/// is refused for ever. Thread-safe.
class RateLimit {
 public:
  /// Zero: `n` may go, and are taken. Else nothing is taken, and it says how long until they may. `rate` is
  /// per second, at least 1, and may change from call to call.
  std::chrono::nanoseconds take(uint64_t n, uint64_t rate, Mono now) {
    const int64_t at = now.time_since_epoch().count();
    const int64_t needed = cost(std::min(n, rate), rate), owed = cost(std::min(n, kMostSeconds * rate), rate);
    int64_t full_at = full_at_.load(std::memory_order_relaxed);
    do {
      const int64_t wait = std::max<int64_t>(full_at - at, 0) + needed - kSecond;
      if (wait > 0) return std::chrono::nanoseconds(wait);
    } while (
        !full_at_.compare_exchange_weak(full_at, std::max(full_at, at) + owed, std::memory_order_relaxed));
    return {};
  }

 private:
  static constexpr int64_t kSecond = 1'000'000'000;
  static constexpr uint64_t kMostSeconds = 60;

  static int64_t cost(uint64_t n, uint64_t rate) {
    return int64_t(double(n) / double(rate) * double(kSecond));
  }

  std::atomic<int64_t> full_at_{0};  // when the bucket is full again if nothing more is taken
};

}  // namespace tailrace
