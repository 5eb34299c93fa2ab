#include "metrics/queueing/queueing_window.h"

#include <algorithm>

namespace tailrace {
namespace {

// A record that arrived so many steps before the newest was not late: the clock was set back.
constexpr int64_t kClockSetBack = 150;

int64_t number_of(Micros t) {
  return (t >= 0 ? t : t - QueueingWindow::kStep + 1) / QueueingWindow::kStep;
}

}  // namespace

QueueingNumbers QueueingTotal::numbers(Micros now, CountSum service, CountSum wait) const {
  QueueingNumbers numbers;
  // The window's oldest step is whole, its newest is not. A channel that has just begun counts as one step,
  // so that its first request is not a rate of thousands.
  const Micros begin = (number_of(now) - QueueingWindow::kSteps + 1) * QueueingWindow::kStep;
  if (since != INT64_MAX)
    numbers.seconds =
        static_cast<double>(std::max(now - std::max(begin, since), QueueingWindow::kStep)) / 1e6;
  numbers.requests = requests;
  numbers.service = service, numbers.wait = wait, numbers.depth = depth, numbers.app = app;
  numbers.dynos = dynos.count(now);
  return numbers;
}

QueueingWindow::Step* QueueingWindow::find(Micros arrival) {
  const int64_t number = number_of(arrival);
  int64_t newest = number;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].number == number) {
      current_ = i;
      return &steps_[i];
    }
    newest = std::max(newest, steps_[i].number);
  }
  if (newest - number >= kClockSetBack) {
    steps_.clear();
    since_ = INT64_MAX;
    newest = number;
  }
  if (number <= newest - kSteps) return nullptr;

  since_ = std::min(since_, arrival);
  const auto over = std::find_if(steps_.begin(), steps_.end(),
                                 [&](const Step& step) { return step.number <= newest - kSteps; });
  current_ = static_cast<size_t>(over - steps_.begin());
  if (over == steps_.end()) {
    steps_.push_back({number, 0, {}, {}});
  } else {
    *over = {number, 0, {}, {}};
  }
  return &steps_[current_];
}

void QueueingWindow::merge_into(QueueingTotal& into, Micros now) {
  const int64_t over = number_of(now) - kSteps;
  std::erase_if(steps_, [&](const Step& step) { return step.number <= over; });
  if (steps_.empty()) steps_.shrink_to_fit();
  dynos_.expire(now);
  for (const Step& step : steps_) {
    routed_ |= step.requests > 0;
    into.requests += step.requests;
    into.depth.merge(step.depth);
    into.app.merge(step.app);
  }
  into.dynos.merge(dynos_);
  if (routed_) into.since = std::min(into.since, since_);
}

}  // namespace tailrace
