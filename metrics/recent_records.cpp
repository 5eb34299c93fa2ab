#include "metrics/recent_records.h"

#include <algorithm>

namespace tailrace {

void RecentRecords::add(Micros arrival, uint64_t records) {
  const int64_t number = Window::number_of(arrival);
  if (newest_ - number >= Window::kClockSetBack) *this = {};
  if (number < 0 || number <= newest_ - Window::kSteps) return;
  for (int64_t over = std::max(newest_ + 1, number - Window::kSteps + 1); over <= number; ++over)
    step(over) = 0;
  newest_ = std::max(newest_, number);
  since_ = std::min(since_, arrival);
  step(number) += static_cast<uint32_t>(records);
}

void RecentRecords::merge_into(RecentRecordsTotal& into, Micros now) const {
  const int64_t oldest = std::max(newest_, Window::number_of(now)) - Window::kSteps + 1;
  for (int64_t number = std::max<int64_t>(oldest, 0); number <= newest_; ++number)
    into.records += steps_[static_cast<size_t>(number % Window::kSteps)];
  into.since = std::min(into.since, since_);
}

}  // namespace tailrace
