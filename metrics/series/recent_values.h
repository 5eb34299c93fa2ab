#pragma once
// The last 60 s of one series' values, by arrival, as one thread saw them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/sketch.h"

namespace tailrace {

/// A sketch for values of either sign: quantiles of nearest rank, within 0.78 %, exact at both ends. Moved,
/// not copied.
class SignedSketch {
 public:
  void insert(double value);
  void merge(const SignedSketch& other);
  double quantile(double q) const;
  void clear();
  size_t memory() const { return upper_.memory() + (lower_ ? sizeof(Sketch) + lower_->memory() : 0); }

 private:
  Sketch upper_;                   // zero and above
  std::unique_ptr<Sketch> lower_;  // what is negative, its sign changed; nearly always there is none
};

/// Values themselves as long as they are few, then a ring of steps of 4 s with a sketch each: a value counts
/// from its arrival on, and leaves after 56 to 60 s. Not thread-safe.
class RecentValues {
 public:
  void add(double value, Micros arrival);
  /// Adds what is within the window at `now`.
  void merge_into(SignedSketch& into, Micros now) const;
  /// Gives back the memory of what is no longer within it.
  void expire(Micros now);
  size_t memory() const;

 private:
  static constexpr size_t kFew = 24;

  struct Value {
    double value;
    int64_t step;  // of kStep since the epoch
  };
  struct Step {
    int64_t number;
    SignedSketch sketch;
  };
  SignedSketch& step(int64_t number);

  int64_t newest_ = INT64_MIN / 2;
  std::vector<Value> few_;
  std::vector<Step> steps_;  // in no order; while there are any, few_ is empty
  size_t current_ = 0;       // the last one that a value came to
};

}  // namespace tailrace
