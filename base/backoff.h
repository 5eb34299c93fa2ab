#pragma once
// How long to wait before the next try.

#include <algorithm>
#include <chrono>

#include "base/ids.h"

namespace tailrace {

/// 1 s, doubled after each failure up to 30 s, each shortened by up to a quarter at random so that many who
/// fail together do not come back together.
class Backoff {
 public:
  std::chrono::milliseconds next(double random = random_unit()) {
    const auto whole = std::chrono::milliseconds(std::min(1000LL << std::min(failures_++, 5), 30'000LL));
    return whole - std::chrono::milliseconds(int64_t(double(whole.count()) * random / 4));
  }
  void reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  int failures_ = 0;
};

}  // namespace tailrace
