#pragma once
// The last 60 s of one channel's response times, by arrival, as one thread saw them.

#include <algorithm>
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
  /// A record that arrived so many steps before the newest was not late: the clock was set back.
  static constexpr int64_t kClockSetBack = 150;

  /// Which step of kStep since the epoch.
  static constexpr int64_t number_of(Micros t) { return (t >= 0 ? t : t - kStep + 1) / kStep; }
  /// How much of the window is known at `now` of what was seen first at `since`. The oldest step is whole,
  /// the newest is not. What has just begun counts as one step, so that its first record is not a rate of
  /// thousands.
  static constexpr double seconds_known(Micros now, Micros since) {
    const Micros begin = (number_of(now) - kSteps + 1) * kStep;
    return static_cast<double>(std::max(now - std::max(begin, since), kStep)) / 1e6;
  }

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

  /// Adds what is within the window at `now`; the second, of one timing alone.
  void merge_into(TimingSketches& into, Micros now) const;
  void merge_into(Sketch& into, Timing timing, Micros now) const;

  /// Gives back the memory of what is no longer within it.
  void expire(Micros now);

 private:
  struct Step {
    int64_t number;  // of kStep since the epoch
    TimingSketches sketches;
  };
  TimingSketches* find(Micros arrival);

  std::vector<Step> steps_;  // at most kSteps, in no order
  size_t current_ = 0;
};

}  // namespace tailrace
