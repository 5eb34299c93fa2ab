#pragma once
// Quantiles of a stream of non-negative numbers in little memory: a log-linear sketch.
//
// A bucket is one of 64 equal parts of an octave [2^e, 2^(e+1)), e from -20 to 19, so that for seconds the
// range is 1 us to 12 days. Its number is the exponent and the first 6 bits of the fraction, cut out of the
// double:
//
//   0.008 = 1.024 * 2^-7   octave -7, part floor(0.024 * 64) = 1   bucket (-7 + 20) * 64 + 1 = 833
//   bucket 833 is [2^-7 * (1 + 1/64), 2^-7 * (1 + 2/64)) = [0.0079346, 0.0080566) and answers 0.0079956
//
// A bucket is at most 1/64 of its lower end wide and answers with its middle: the error is at most 1/128 =
// 0.78 %.

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>

namespace tailrace {

/// A value: one owner at a time, moved but not copied; merge() is how sketches of several threads come
/// together.
///
/// Storage grows with what is in it: first a list of bucket numbers (2 bytes per value), then, once that
/// would be larger, a window of counts (4 bytes per bucket) over the blocks between the smallest and the
/// largest value. Invariants: (1) count, sum, min and max are exact whatever the range; zero has a count of
/// its own; (2) at most one of samples_ and counts_ is set; (3) merging equals inserting everything into one
/// sketch.
class Sketch {
 public:
  static constexpr int kPartBits = 6, kLowest = -20, kHighest = 20;
  static constexpr uint32_t kBuckets = (kHighest - kLowest) << kPartBits;

  /// `value` > 0; what lies outside the range belongs to the first or last bucket.
  static constexpr uint32_t bucket_of(double value) {
    constexpr int64_t first = int64_t{1023 + kLowest} << kPartBits;
    const int64_t bucket = static_cast<int64_t>(std::bit_cast<uint64_t>(value) >> (52 - kPartBits)) - first;
    return bucket < 0 ? 0 : bucket >= kBuckets ? kBuckets - 1 : static_cast<uint32_t>(bucket);
  }
  /// The lower end of a bucket; that of kBuckets is the end of the range.
  static constexpr double lower_end(uint32_t bucket) {
    constexpr uint64_t first = uint64_t{1023 + kLowest} << kPartBits;
    return std::bit_cast<double>((first + bucket) << (52 - kPartBits));
  }

  /// Counts a value; negative ones, infinities and NaN are ignored.
  void insert(double value) {
    if (!(value >= 0 && value <= std::numeric_limits<double>::max())) return;
    ++count_;
    sum_ += value;
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
    if (value == 0) {
      ++zeros_;
      return;
    }
    const uint32_t bucket = bucket_of(value);
    if (counts_) {
      const uint32_t at = bucket - base_;
      if (at < width_) {
        counts_[at] += counts_[at] != UINT32_MAX;
        return;
      }
    } else if (used_ < capacity_) {
      samples_[used_++] = static_cast<uint16_t>(bucket);
      return;
    }
    insert_growing(bucket);
  }

  /// `other` is another sketch.
  void merge(const Sketch& other);

  /// The value of nearest rank, ceil(q * count), within 0.78 % as long as it lies in the range; exact at both
  /// ends (q = 1 is the maximum) and never outside [min, max]. NaN when empty.
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
  size_t memory() const { return capacity_ * sizeof(uint16_t) + width_ * sizeof(uint32_t); }

 private:
  static constexpr uint32_t kBlock = 16;  // the window grows by a quarter of an octave: 64 bytes

  void insert_growing(uint32_t bucket);
  void cover(uint32_t lowest, uint32_t highest);
  void make_dense(uint32_t lowest, uint32_t highest);

  uint64_t count_ = 0, zeros_ = 0;
  double sum_ = 0;
  double min_ = std::numeric_limits<double>::infinity(), max_ = 0;
  std::unique_ptr<uint16_t[]> samples_;  // used_ bucket numbers, in order of arrival
  std::unique_ptr<uint32_t[]> counts_;   // of the buckets base_ to base_ + width_; a full one stays full
  uint16_t used_ = 0, capacity_ = 0, base_ = 0, width_ = 0;
};

static_assert(std::numeric_limits<double>::is_iec559);
static_assert(Sketch::kBuckets == 2560);
static_assert(Sketch::bucket_of(0.008) == 833);
static_assert(Sketch::lower_end(833) <= 0.008 && 0.008 < Sketch::lower_end(834));
static_assert(Sketch::bucket_of(1e-300) == 0 && Sketch::bucket_of(1e300) == Sketch::kBuckets - 1);
static_assert(Sketch::lower_end(0) < 1e-6 && Sketch::lower_end(Sketch::kBuckets) == 1 << 20);

}  // namespace tailrace
