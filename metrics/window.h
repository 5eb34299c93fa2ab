#pragma once
// The last 60 s of one channel's response times, by arrival, as one thread saw them.

#include <array>
#include <vector>

#include "base/clock.h"
#include "base/sketch.h"

namespace tailrace {

enum class Timing : uint8_t { service, connect, wait };
inline constexpr size_t kTimings = 3;

/// A sketch per timing.
using TimingSketches = std::array<Sketch, kTimings>;

/// A ring of steps of 4 s: a value counts from its arrival on, and leaves after 56 to 60 s. A step comes into
/// being with its first value and is used again when its time is over: a quiet channel has one or two. Not
/// thread-safe.
class Window {
 public:
  static constexpr Micros kStep = 4'000'000;
  static constexpr int64_t kSteps = 15;

  /// Where a value that arrived then is to be counted; null if that is too long ago. Valid until the next
  /// call.
  TimingSketches* at(Micros arrival) {
    if (current_ < steps_.size()) {
      Step& step = steps_[current_];
      if (static_cast<uint64_t>(arrival - step.number * kStep) < static_cast<uint64_t>(kStep))
        return &step.sketches;
    }
    return find(arrival);
  }

  /// Adds what is within the window at `now`.
  void merge_into(TimingSketches& into, Micros now) const;

  /// Gives back the memory of what is no longer within it.
  void expire(Micros now);

 private:
  struct Step {
    int64_t number;  // of kStep since the epoch
    TimingSketches sketches;
  };
  static int64_t number_of(Micros t) { return (t >= 0 ? t : t - kStep + 1) / kStep; }

  TimingSketches* find(Micros arrival);

  std::vector<Step> steps_;  // at most kSteps, in no order
  size_t current_ = 0;
};

}  // namespace tailrace
