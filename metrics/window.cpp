#include "metrics/window.h"

#include <algorithm>

namespace tailrace {

TimingSketches* Window::find(Micros arrival) {
  const int64_t number = number_of(arrival);
  int64_t newest = number;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].number == number) {
      current_ = i;
      return &steps_[i].sketches;
    }
    newest = std::max(newest, steps_[i].number);
  }
  if (newest - number >= kClockSetBack) {
    steps_.clear();
    newest = number;
  }
  if (number <= newest - kSteps) return nullptr;

  const auto over =
      std::find_if(steps_.begin(), steps_.end(), [&](const Step& s) { return s.number <= newest - kSteps; });
  current_ = static_cast<size_t>(over - steps_.begin());
  if (over == steps_.end()) {
    steps_.push_back({number, {}});
  } else {
    over->number = number;
    for (Sketch& sketch : over->sketches) sketch.clear();
  }
  return &steps_[current_].sketches;
}

void Window::merge_into(TimingSketches& into, Micros now) const {
  for (const Step& step : steps_) {
    if (step.number <= number_of(now) - kSteps) continue;
    for (size_t i = 0; i < kTimings; ++i) into[i].merge(step.sketches[i]);
  }
}

void Window::merge_into(Sketch& into, Timing timing, Micros now) const {
  constexpr uint64_t kMany = 16;
  for (const Step& step : steps_) {
    if (step.number <= number_of(now) - kSteps) continue;
    into.merge(step.sketches[static_cast<size_t>(timing)]);
    if (into.count() >= kMany) into.widen();
  }
}

void Window::expire(Micros now) {
  for (Step& step : steps_) {
    if (step.number > number_of(now) - kSteps) continue;
    for (Sketch& sketch : step.sketches) sketch.clear();
  }
}

}  // namespace tailrace
