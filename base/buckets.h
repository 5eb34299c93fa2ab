#pragma once
// How many values lie in which part of the number line: the little memory behind quantiles.
//
// A bucket is one of 64 equal parts of an octave [2^e, 2^(e+1)), e from -64 to 53: down to far below a
// nanosecond in seconds, and up to the largest number that lines may say. Its number is the exponent and the
// first 6 bits of the fraction, cut out of the double:
//
//   0.008 = 1.024 * 2^-7   octave -7, part floor(0.024 * 64) = 1   bucket (-7 + 64) * 64 + 1 = 3649
//   bucket 3649 is [2^-7 * (1 + 1/64), 2^-7 * (1 + 2/64)) = [0.0079346, 0.0080566) and answers 0.0079956
//
// A bucket is at most 1/64 of its lower end wide and answers with its middle: the error is at most 1/128 =
// 0.78 %.

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace tailrace {

/// A value: one owner at a time, moved but not copied. Storage grows with what is in it: first a list of
/// bucket numbers (2 bytes per value), then, once that would be larger, a window of counts (4 bytes per
/// bucket) over the blocks between the smallest and the largest. Invariants: (1) at most one of the two is
/// there; (2) merging equals inserting everything into one; (3) a count that is full stays full.
class Buckets {
 public:
  static constexpr int kPartBits = 6, kLowest = -64, kHighest = 54;
  static constexpr uint32_t kBuckets = (kHighest - kLowest) << kPartBits;
  /// What callers that keep buckets' numbers write for a zero, which has none.
  static constexpr uint16_t kZero = UINT16_MAX;

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
  /// What a bucket answers for the values in it.
  static constexpr double middle(uint32_t bucket) { return (lower_end(bucket) + lower_end(bucket + 1)) / 2; }

  void insert(uint32_t bucket) {
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
  void insert(uint32_t bucket, uint32_t values);
  void merge(const Buckets& other);
  /// From the list to the window, whatever that takes: for who merges more, and asks several times.
  void widen() {
    if (used_) make_dense(samples_[0], samples_[0]);
  }

  bool empty() const { return !counts_ && !used_; }
  /// The bucket of the value with this rank, from 1; the last one there is if there are fewer. Not of an
  /// empty one.
  uint32_t nth(uint64_t rank) const;
  /// Values in lower buckets.
  uint64_t below(uint32_t bucket) const;
  /// use(bucket, values), ascending, each once.
  template <class F>
  void for_each(F&& use) const {
    if (counts_) {
      for (uint32_t i = 0; i < width_; ++i)
        if (counts_[i]) use(base_ + i, counts_[i]);
      return;
    }
    const auto sorted = sorted_samples();
    for (uint32_t i = 0, same = 0; i < used_; i += same) {
      for (same = 1; i + same < used_ && sorted[i + same] == sorted[i];) ++same;
      use(uint32_t{sorted[i]}, same);
    }
  }

  /// Appends a form that decode() reads back on any machine: few bytes for few values.
  void encode(std::string& out) const;
  /// Takes one from the front of `text`, for one that is empty; false if it is damaged. `values`: how many
  /// there are in it.
  bool decode(std::string_view& text, uint64_t& values);

  /// Empties it and keeps its memory.
  void clear();
  /// Bytes on the heap.
  size_t memory() const { return capacity_ * sizeof(uint16_t) + width_ * sizeof(uint32_t); }

 private:
  static constexpr uint32_t kBlock = 16;  // the window grows by a quarter of an octave: 64 bytes

  void insert_growing(uint32_t bucket);
  void cover(uint32_t lowest, uint32_t highest);
  void make_dense(uint32_t lowest, uint32_t highest);
  std::unique_ptr<uint16_t[]> sorted_samples() const;

  std::unique_ptr<uint16_t[]> samples_;  // used_ bucket numbers, in order of arrival
  std::unique_ptr<uint32_t[]> counts_;   // of the buckets base_ to base_ + width_; a full one stays full
  uint16_t used_ = 0, capacity_ = 0, base_ = 0, width_ = 0;
};

static_assert(std::numeric_limits<double>::is_iec559);
static_assert(Buckets::kBuckets == 7552);
static_assert(Buckets::bucket_of(0.008) == 3649);
static_assert(Buckets::lower_end(3649) <= 0.008 && 0.008 < Buckets::lower_end(3650));
static_assert(Buckets::bucket_of(1e-300) == 0 && Buckets::bucket_of(1e300) == Buckets::kBuckets - 1);
static_assert(Buckets::lower_end(0) < 1e-9 && Buckets::lower_end(Buckets::kBuckets) == 0x1p54);

}  // namespace tailrace
