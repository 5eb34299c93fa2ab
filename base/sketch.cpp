#include "base/sketch.h"

#include <algorithm>
#include <cmath>

namespace tailrace {

uint64_t nearest_rank(double q, uint64_t count) {
  const double wanted = std::ceil(q * static_cast<double>(count) - 1e-6);
  if (!(wanted > 1)) return 1;
  return wanted >= static_cast<double>(count) ? count : static_cast<uint64_t>(wanted);
}

void Sketch::merge(const Sketch& other) {
  if (other.count_ == 0) return;
  count_ += other.count_;
  zeros_ += other.zeros_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  buckets_.merge(other.buckets_);
}

double Sketch::quantile(double q) const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const uint64_t rank = nearest_rank(q, count_);
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  if (rank <= zeros_) return 0;
  return std::clamp(Buckets::middle(buckets_.nth(rank - zeros_)), min_, max_);
}

void Sketch::clear() {
  const uint64_t stored = count_ - zeros_;
  if (stored * sizeof(uint16_t) * 4 < memory()) {
    release();
    return;
  }
  buckets_.clear();
  count_ = zeros_ = 0;
  sum_ = max_ = 0;
  min_ = std::numeric_limits<double>::infinity();
}

}  // namespace tailrace
