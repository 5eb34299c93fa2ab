#pragma once
// Histograms with the bounds of the contract, cumulative only when they are written out.

#include <array>
#include <cstddef>
#include <cstdint>

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
  void merge(const Histogram& other) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    count += other.count;
    sum.merge(other.sum);
  }

  std::array<uint64_t, kBounds.size() + 1> counts{};  // each bucket's own; the last is beyond every bound
  uint64_t count = 0;
  ExactSum sum;
};

using SecondsHistogram = Histogram<kSecondsBounds>;
using DepthHistogram = Histogram<kDepthBounds>;

}  // namespace tailrace
