#pragma once
// A drain's past in steps of one length, in few bytes.

#include <string>
#include <string_view>
#include <vector>

#include "drains/drain_point.h"

namespace tailrace {

/// A value. A point takes 4 to 15 bytes, and 2 or 3 for each part of its answers' times that has any; steps
/// in a row in which nothing came to its end while the same records waited take one point together.
/// Invariant: times rise, and are multiples of the step.
class KeptPoints {
 public:
  explicit KeptPoints(Micros step) : step_(step) {}

  /// `point` is later than all that are there. Its lag is kept in milliseconds.
  void add(const DrainPoint& point);
  std::vector<DrainPoint> all() const;
  /// Takes off what begins before `time`.
  std::vector<DrainPoint> take_before(Micros time);
  /// Gives up what takes one point's room at the front, and says when that ends. Not of an empty one.
  Micros drop_first();
  void clear();

  bool empty() const { return bytes_.empty(); }
  Micros first() const;  // when the first step begins; not of an empty one
  size_t bytes() const { return bytes_.size(); }

 private:
  /// Steps in a row; more than one only if they are quiet, and then each lags by a step more.
  struct Run {
    DrainPoint point;
    uint64_t steps = 1;
  };
  void put(std::string& out, const DrainPoint& point, uint64_t steps, Micros before) const;
  /// Takes one from the front of `text`. `before`: the last step of the one before it, which becomes its own.
  Run take(std::string_view& text, Micros& before) const;
  Run take_first();
  void spread(Run run, std::vector<DrainPoint>& out) const;
  bool joins(const DrainPoint& point) const;

  const Micros step_;
  std::string bytes_;
  Micros before_ = 0;  // the last step before the first one here
  Micros last_ = 0;    // the last step here
  // The last run, if one more step may join it.
  uint64_t last_steps_ = 0;  // 0: none may
  size_t last_at_ = 0;       // where it stands
  DrainState last_state_ = DrainState::ok;
  uint64_t last_buffered_ = 0;
  Micros last_lag_ = 0;  // of its first step
};

}  // namespace tailrace
