#include "metrics/queueing/queueing_window.h"

#include <algorithm>

namespace tailrace {
double QueueingTotal::seconds(Micros now) const {
  return since == INT64_MAX ? 0 : Window::seconds_known(now, since);
}

QueueingNumbers QueueingTotal::numbers(Micros now, CountSum service, CountSum wait) const {
  QueueingNumbers numbers;
  numbers.seconds = seconds(now);
  numbers.requests = requests;
  numbers.service = service, numbers.wait = wait, numbers.depth = depth, numbers.app = app;
  numbers.dynos = dynos.count(now);
  return numbers;
}

QueueingWindow::Step* QueueingWindow::find(Micros arrival) {
  const int64_t number = Window::number_of(arrival);
  int64_t newest = number;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].number == number) {
      current_ = i;
      return &steps_[i];
    }
    newest = std::max(newest, steps_[i].number);
  }
  if (newest - number >= Window::kClockSetBack) {
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
    steps_.push_back({number, 0, 0, {}, {}});
  } else {
    *over = {number, 0, 0, {}, {}};
  }
  return &steps_[current_];
}

void QueueingWindow::merge_into(QueueingTotal& into, Micros now) {
  const int64_t over = Window::number_of(now) - kSteps;
  std::erase_if(steps_, [&](const Step& step) { return step.number <= over; });
  if (steps_.empty()) steps_.shrink_to_fit();
  dynos_.expire(now);
  for (const Step& step : steps_) {
    into.depth.merge(step.depth);
    into.app.merge(step.app);
  }
  into.dynos.merge(dynos_);
  merge_requests(into, now);
}

void QueueingWindow::merge_requests(QueueingTotal& into, Micros now) {
  const int64_t over = Window::number_of(now) - kSteps;
  for (const Step& step : steps_) {
    if (step.number <= over) continue;
    routed_ |= step.requests > 0;
    into.requests += step.requests;
    into.failed += step.failed;
  }
  if (routed_) into.since = std::min(into.since, since_);
}

}  // namespace tailrace
