#include "base/sketch.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tailrace {
namespace {

uint32_t saturating(uint32_t a, uint32_t b) {
  return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

}  // namespace

void Sketch::insert_growing(uint32_t bucket) {
  if (!counts_) {
    uint32_t lowest = bucket, highest = bucket;
    for (uint32_t i = 0; i < used_; ++i) {
      lowest = std::min<uint32_t>(lowest, samples_[i]);
      highest = std::max<uint32_t>(highest, samples_[i]);
    }
    const uint32_t wanted = capacity_ ? capacity_ * 2u : 8u;
    const uint32_t window = (highest / kBlock - lowest / kBlock + 1) * kBlock;
    if (wanted * sizeof(uint16_t) < window * sizeof(uint32_t)) {
      auto grown = std::make_unique_for_overwrite<uint16_t[]>(wanted);
      std::copy_n(samples_.get(), used_, grown.get());
      samples_ = std::move(grown);
      capacity_ = static_cast<uint16_t>(wanted);
      samples_[used_++] = static_cast<uint16_t>(bucket);
      return;
    }
    make_dense(lowest, highest);
  }
  cover(bucket, bucket);
  counts_[bucket - base_] = saturating(counts_[bucket - base_], 1);
}

// From the list to the window, which then covers at least [lowest, highest].
void Sketch::make_dense(uint32_t lowest, uint32_t highest) {
  for (uint32_t i = 0; i < used_; ++i) {
    lowest = std::min<uint32_t>(lowest, samples_[i]);
    highest = std::max<uint32_t>(highest, samples_[i]);
  }
  cover(lowest, highest);
  for (uint32_t i = 0; i < used_; ++i) ++counts_[samples_[i] - base_];
  samples_.reset();
  used_ = capacity_ = 0;
}

void Sketch::cover(uint32_t lowest, uint32_t highest) {
  if (counts_ && lowest >= base_ && highest < uint32_t{base_} + width_) return;
  if (counts_) {
    lowest = std::min<uint32_t>(lowest, base_);
    highest = std::max<uint32_t>(highest, base_ + width_ - 1u);
  }
  const uint32_t base = lowest / kBlock * kBlock;
  const uint32_t width = (highest / kBlock + 1) * kBlock - base;
  auto grown = std::make_unique<uint32_t[]>(width);
  if (counts_) std::copy_n(counts_.get(), width_, grown.get() + (base_ - base));
  counts_ = std::move(grown);
  base_ = static_cast<uint16_t>(base);
  width_ = static_cast<uint16_t>(width);
}

void Sketch::merge(const Sketch& other) {
  if (other.count_ == 0) return;
  count_ += other.count_;
  zeros_ += other.zeros_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  for (uint32_t i = 0; i < other.used_; ++i) {
    const uint32_t bucket = other.samples_[i], at = bucket - base_;
    if (counts_ && at < width_)
      counts_[at] = saturating(counts_[at], 1);
    else if (used_ < capacity_)
      samples_[used_++] = static_cast<uint16_t>(bucket);
    else
      insert_growing(bucket);
  }
  if (!other.counts_) return;
  const uint32_t lowest = other.base_, highest = other.base_ + other.width_ - 1u;
  if (counts_)
    cover(lowest, highest);
  else
    make_dense(lowest, highest);
  uint32_t* into = counts_.get() + (other.base_ - base_);
  for (uint32_t i = 0; i < other.width_; ++i) into[i] = saturating(into[i], other.counts_[i]);
}

double Sketch::quantile(double q) const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  // A product that is a whole number but for its rounding must not climb to the next rank.
  const double wanted = std::ceil(q * static_cast<double>(count_) - 1e-6);
  if (wanted <= 1) return min_;
  if (wanted >= static_cast<double>(count_)) return max_;
  uint64_t rank = static_cast<uint64_t>(wanted);
  if (rank <= zeros_) return 0;
  rank -= zeros_;

  uint32_t bucket = kBuckets - 1;
  if (counts_) {
    for (uint32_t i = 0; i < width_; ++i) {
      if (counts_[i] >= rank) {
        bucket = base_ + i;
        break;
      }
      rank -= counts_[i];
    }
  } else {
    std::vector<uint16_t> sorted(samples_.get(), samples_.get() + used_);
    const auto nth = sorted.begin() + static_cast<ptrdiff_t>(rank - 1);
    std::nth_element(sorted.begin(), nth, sorted.end());
    bucket = *nth;
  }
  return std::clamp((lower_end(bucket) + lower_end(bucket + 1)) / 2, min_, max_);
}

void Sketch::clear() {
  const uint64_t stored = count_ - zeros_;
  if (stored * sizeof(uint16_t) * 4 < memory()) {
    release();
    return;
  }
  std::fill_n(counts_.get(), width_, 0u);
  count_ = zeros_ = 0;
  sum_ = max_ = 0;
  min_ = std::numeric_limits<double>::infinity();
  used_ = 0;
}

}  // namespace tailrace
