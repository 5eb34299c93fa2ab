#include "web/cpu_shares.h"

#include <algorithm>
#include <utility>

namespace tailrace {

std::map<int, double> CpuShares::seconds_of(const std::vector<ThreadTime>& times) {
  std::map<int, double> seconds;
  for (const ThreadTime& time : times) seconds[time.id] = time.cpu_seconds;
  return seconds;
}

std::vector<double> CpuShares::look(const std::vector<ThreadTime>& times, Mono now) {
  if (now - latest_.at >= kLeast) before_ = std::exchange(latest_, {now, seconds_of(times)});
  const double elapsed = std::chrono::duration<double>(now - before_.at).count();
  std::vector<double> shares;
  shares.reserve(times.size());
  for (const ThreadTime& time : times) {
    const auto known = before_.cpu_seconds.find(time.id);
    const double then = known == before_.cpu_seconds.end() ? 0 : known->second;
    shares.push_back(elapsed > 0 ? std::max(time.cpu_seconds - then, 0.0) / elapsed : 0);
  }
  return shares;
}

}  // namespace tailrace
