#include "metrics/series/distinct.h"

#include <algorithm>
#include <cmath>

namespace tailrace {

bool Distinct::add(uint64_t hash) {
  const bool full = kept_.size() == kKept;
  if (full && hash >= kept_.back()) return false;
  const auto at = std::lower_bound(kept_.begin(), kept_.end(), hash);
  if (at != kept_.end() && *at == hash) return false;
  kept_.insert(at, hash);
  if (!full) {
    count_ = kept_.size();
    return true;
  }
  kept_.pop_back();
  // The largest kept hash is the kKept-th smallest of n that lie evenly in [0, 2^64).
  const double estimate = static_cast<double>(kKept - 1) / std::ldexp(static_cast<double>(kept_.back()), -64);
  count_ = std::max(count_ + 1, static_cast<uint64_t>(std::min(estimate, 0x1p63)));
  return true;
}

}  // namespace tailrace
