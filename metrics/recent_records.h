#pragma once
// How many records of one channel came in the last 60 s, by arrival, as one thread saw them.

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "metrics/window.h"

namespace tailrace {

/// All threads' together: merge each share into one of these.
struct RecentRecordsTotal {
  uint64_t records = 0;
  Micros since = INT64_MAX;  // when the first of them saw something of the channel

  double per_second(Micros now) const {
    return records ? static_cast<double>(records) / Window::seconds_known(now, since) : 0;
  }
};

/// A ring of the steps of Window: a record counts from its arrival on, and leaves after 56 to 60 s. 80 bytes,
/// and no allocation. Not thread-safe.
class RecentRecords {
 public:
  void add(Micros arrival, uint64_t records);
  /// Adds what is within the window at `now`.
  void merge_into(RecentRecordsTotal& into, Micros now) const;

 private:
  uint32_t& step(int64_t number) { return steps_[static_cast<size_t>(number % Window::kSteps)]; }

  std::array<uint32_t, Window::kSteps> steps_{};  // by number % kSteps: those up to newest_
  int64_t newest_ = 0;                            // a step's number
  Micros since_ = INT64_MAX;
};

}  // namespace tailrace
