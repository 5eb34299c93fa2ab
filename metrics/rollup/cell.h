#pragma once
// What is kept of one series' values in one window.

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/buckets.h"
#include "base/clock.h"
#include "channels/position.h"
#include "metrics/histogram.h"

namespace tailrace {

/// Which of two values is the later one: by line time, then by position.
struct Stamp {
  Micros time = INT64_MIN;
  Position position;
  auto operator<=>(const Stamp&) const = default;
};

/// A value: moved, not copied; one owner at a time. Merging is commutative and associative: whatever way
/// values come together, over threads, windows or nodes, the cell is the same (the sum to the last bit or
/// nearly).
///
/// Zeros and ones have counts of their own, so what only counts has no buckets. Of two values with one stamp
/// the greater one is the last.
class Cell {
 public:
  /// Any finite value; others are ignored.
  void add(double value, Stamp at) {
    if (!(std::abs(value) <= std::numeric_limits<double>::max())) return;
    ++count_;
    sum_.add(value);
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
    set_last(value, at);
    if (value > 0) {
      if (value == 1)
        ++ones_;
      else
        positive_.insert(Buckets::bucket_of(value));
    } else {
      add_not_positive(value);
    }
  }
  /// Many, none of them negative or infinite, with their buckets (Buckets::kZero for a zero); `last` is the
  /// one of them with the greatest stamp.
  void add(std::span<const double> values, std::span<const uint16_t> buckets, double last, Stamp at);
  /// `n` lines that count as 1 each, the latest at `at`.
  void add_lines(uint64_t n, Stamp at);
  void merge(const Cell& other);

  uint64_t count() const { return count_; }
  double sum() const { return sum_.value(); }  // 0 when empty; what follows is NaN then
  double min() const { return count_ ? min_ : std::numeric_limits<double>::quiet_NaN(); }
  double max() const { return count_ ? max_ : std::numeric_limits<double>::quiet_NaN(); }
  double last() const { return last_; }
  double mean() const { return sum() / static_cast<double>(count_); }
  /// Of nearest rank, ceil(q * count); within 0.78 %, exact at both ends and for 0 and 1.
  double quantile(double q) const;

  /// Appends a form that decode() reads back, on any machine; a few bytes for a few values. `base`: a time
  /// near its values', the same for both.
  void encode(std::string& out, Micros base = 0) const;
  /// Takes one from the front of `text`; false if it is damaged, and then the cell is as it was.
  bool decode(std::string_view& text, Micros base = 0);

  size_t memory() const {  // bytes on the heap
    return positive_.memory() + (negative_ ? sizeof(Negative) + negative_->magnitudes.memory() : 0);
  }

 private:
  struct Negative {
    uint64_t count = 0;
    Buckets magnitudes;
  };

  void add_not_positive(double value);
  void set_last(double value, Stamp at) {
    if (at > at_) {
      at_ = at;
      last_ = value;
    } else if (at == at_ && value > last_) {
      last_ = value;
    }
  }
  double value_of_rank(uint64_t rank) const;

  uint64_t count_ = 0, zeros_ = 0, ones_ = 0;
  ExactSum sum_;
  double min_ = std::numeric_limits<double>::infinity(), max_ = -std::numeric_limits<double>::infinity();
  double last_ = std::numeric_limits<double>::quiet_NaN();
  Stamp at_;
  Buckets positive_;  // but for ones
  std::unique_ptr<Negative> negative_;
};

}  // namespace tailrace
