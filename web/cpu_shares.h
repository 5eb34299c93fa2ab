#pragma once
// What share of a core each thread took since the look before.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process_figures.h"

namespace tailrace {

/// Over two seconds at least, since the kernel counts in hundredths; over less only in the first two. A value
/// of its owner, who locks.
class CpuShares {
 public:
  static constexpr auto kLeast = std::chrono::seconds(2);

  CpuShares(const std::vector<ThreadTime>& times, Mono now)
      : before_{now, seconds_of(times)}, latest_(before_) {}

  /// Of `times`, in their order: 1 is a whole core.
  std::vector<double> look(const std::vector<ThreadTime>& times, Mono now);

 private:
  struct Look {
    Mono at;
    std::map<int, double> cpu_seconds;  // by thread
  };
  static std::map<int, double> seconds_of(const std::vector<ThreadTime>& times);

  Look before_, latest_;
};

}  // namespace tailrace
