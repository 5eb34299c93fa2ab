#pragma once
// Quantiles of a stream of non-negative numbers in little memory: a log-linear sketch.

#include <cstdint>
#include <limits>
#include <span>

#include "base/buckets.h"

namespace tailrace {

/// A value: one owner at a time, moved but not copied; merge() is how sketches of several threads come
/// together. Invariants: (1) count, sum, min and max are exact whatever the range; zero has a count of its
/// own; (2) merging equals inserting everything into one sketch.
class Sketch {
 public:
  /// Counts a value; negative ones, infinities and NaN are ignored.
  void insert(double value) {
    if (!(value >= 0 && value <= std::numeric_limits<double>::max())) return;
    ++count_;
    sum_ += value;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
    if (value == 0)
      ++zeros_;
    else
      buckets_.insert(Buckets::bucket_of(value));
  }

  /// The same for many: finite ones that are not negative, and their buckets (Buckets::kZero for a zero).
  void insert(std::span<const double> values, std::span<const uint16_t> buckets) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      sum += value;
      min_ = value < min_ ? value : min_;
      max_ = value > max_ ? value : max_;
      if (buckets[i] == Buckets::kZero)
        ++zeros_;
      else
        buckets_.insert(buckets[i]);
    }
    count_ += values.size();
    sum_ += sum;
  }

  /// `other` is another sketch.
  void merge(const Sketch& other);

  /// What follows costs less, and it takes more memory: for one that lives briefly, is merged into and asked
  /// for several quantiles.
  void widen() { buckets_.widen(); }

  /// The value of nearest rank, ceil(q * count), within 0.78 % as long as it lies in the range of Buckets;
  /// exact at both ends (q = 1 is the maximum) and never outside [min, max]. NaN when empty.
  double quantile(double q) const;

  uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  double min() const { return count_ ? min_ : std::numeric_limits<double>::quiet_NaN(); }
  double max() const { return count_ ? max_ : std::numeric_limits<double>::quiet_NaN(); }

  /// Empties it. Keeps the memory if the last contents made use of it, so that a busy owner does not
  /// allocate.
  void clear();
  /// Empties it and gives all memory back.
  void release() { *this = Sketch(); }

  /// Bytes on the heap.
  size_t memory() const { return buckets_.memory(); }

 private:
  uint64_t count_ = 0, zeros_ = 0;
  double sum_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = 0;
  Buckets buckets_;
};

/// The rank of a quantile among `count` values, from 1. A product that is a whole number but for its rounding
/// does not climb to the next one.
uint64_t nearest_rank(double q, uint64_t count);

}  // namespace tailrace
