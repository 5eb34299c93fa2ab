#pragma once
// Histograms with the bounds of the contract, cumulative only when they are written out.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/buckets.h"

namespace tailrace {

inline constexpr std::array kSecondsBounds = {0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                              0.5,   1.0,   2.5,   5.0,  10.0,  30.0, 60.0};
inline constexpr std::array kDepthBounds = {0.0,  1.0,   2.0,   5.0,   10.0,  25.0,
                                            50.0, 100.0, 250.0, 500.0, 1000.0};

/// A sum of many doubles that keeps what each addition rounds away (Knuth's TwoSum), so that it neither
/// drifts nor depends on how threads shared the values.
class ExactSum {
 public:
  ExactSum() = default;
  ExactSum(double rounded, double lost) : sum_(rounded), lost_(lost) {}
  void add(double value) {
    const double sum = sum_ + value, grown = sum - sum_;
    lost_ += (sum_ - (sum - grown)) + (value - grown);
    sum_ = sum;
  }
  void merge(const ExactSum& other) {
    add(other.sum_);
    lost_ += other.lost_;
  }
  double value() const { return sum_ + lost_; }
  double rounded() const { return sum_; }
  double lost() const { return lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

/// A value equal to a bound is within it (`le`). Not thread-safe.
template <const auto& kBounds>
struct Histogram {
  static constexpr const auto& bounds() { return kBounds; }

  /// The bucket that it fell into.
  size_t add(double value) {
    size_t bucket = 0;
    for (const double bound : kBounds) bucket += value > bound;  // no branch: compares two at a time
    ++counts[bucket];
    ++count;
    sum.add(value);
    return bucket;
  }
  /// The same for many, none below 0, with their buckets' numbers (base/buckets.h, kZero for a zero): a table
  /// says where a value falls, but for one comparison. Returns the set of the buckets that they fell into.
  uint32_t add(std::span<const double> values, std::span<const uint16_t> buckets) {
    static_assert(kBounds.size() < 32);
    uint32_t touched = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t bucket = bucket_of(values[i], buckets[i]);
      ++counts[bucket];
      touched |= uint32_t{1} << bucket;
      sum.add(values[i]);
    }
    count += values.size();
    return touched;
  }
  static size_t bucket_of(double value, uint16_t bucket) {
    if (bucket == Buckets::kZero) return 0;
    const size_t below = kBoundsBelow[bucket];
    return below + (below < kBounds.size() && value > kBounds[below]);
  }
  void merge(const Histogram& other) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    count += other.count;
    sum.merge(other.sum);
  }

  /// How many bounds lie below each of Buckets' buckets; at most one lies within one, or at its beginning.
  static constexpr auto kBoundsBelow = [] {
    std::array<uint8_t, Buckets::kBuckets> below{};
    size_t bound = 0;
    for (uint32_t bucket = 0; bucket < Buckets::kBuckets; ++bucket) {
      while (bound < kBounds.size() && kBounds[bound] < Buckets::lower_end(bucket)) ++bound;
      below[bucket] = static_cast<uint8_t>(bound);
    }
    return below;
  }();
  static_assert([] {
    for (size_t i = 1; i < kBounds.size(); ++i)
      if (kBounds[i - 1] > 0 && Buckets::bucket_of(kBounds[i - 1]) == Buckets::bucket_of(kBounds[i]))
        return false;
    return kBounds[0] >= 0;
  }());

  std::array<uint64_t, kBounds.size() + 1> counts{};  // each bucket's own; the last is beyond every bound
  uint64_t count = 0;
  ExactSum sum;
};

using SecondsHistogram = Histogram<kSecondsBounds>;
using DepthHistogram = Histogram<kDepthBounds>;

}  // namespace tailrace
