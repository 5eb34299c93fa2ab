#pragma once
// The last 60 s of one channel's queueing, by arrival: one thread's share, and all threads' together.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metrics/queueing/dynos_seen.h"
#include "metrics/queueing/queueing.h"
#include "metrics/window.h"

namespace tailrace {

/// All threads' together: merge each share into one of these, then ask.
struct QueueingTotal {
  uint64_t requests = 0, failed = 0;  // the second among the first
  CountSum depth, app;
  DynosSeen dynos;
  Micros since = INT64_MAX;  // when the first of them saw something of the channel; no router line: never

  /// How much of the last 60 s is known.
  double seconds(Micros now) const;
  /// `service`, `wait`: count and sum of the same 60 s, as Window's sketches have them.
  QueueingNumbers numbers(Micros now, CountSum service, CountSum wait) const;
};

/// One thread's share, in the steps of Window (metrics/window.h): a value counts at once and leaves after 56
/// to 60 s. About 1 KiB for a busy channel, and 16 to 32 bytes for each dyno. Its owner locks around every
/// call.
class QueueingWindow {
 public:
  static constexpr Micros kStep = Window::kStep;
  static constexpr int64_t kSteps = Window::kSteps;

  /// Router lines, how many of them ended with 5xx or without a status, and the `queue=` of those that have
  /// one.
  void add_requests(Micros arrival, uint64_t requests, uint64_t failed, std::span<const double> depths) {
    Step* step = at(arrival);
    if (!step) return;
    step->requests += requests;
    step->failed += failed;
    for (const double depth : depths) step->depth.add(depth);
  }
  /// The `dyno=` of one of them, empty if it has none.
  void add_dyno(Micros arrival, std::string_view dyno) { dynos_.add(dyno, arrival); }

  /// A pair for which is_app_queue() holds, in seconds; one below 0 (clocks that differ) counts as 0.
  void add_app_queue(Micros arrival, double seconds) {
    if (Step* step = at(arrival)) step->app.add(seconds > 0 ? seconds : 0);
  }

  /// Adds what is within the window at `now`. Gives back memory that is not needed any more.
  void merge_into(QueueingTotal& into, Micros now);
  /// The same of requests alone.
  void merge_requests(QueueingTotal& into, Micros now);

  size_t memory() const { return steps_.capacity() * sizeof(Step) + dynos_.memory(); }

 private:
  struct Step {
    int64_t number = INT64_MIN;  // of kStep since the epoch
    uint64_t requests = 0, failed = 0;
    CountSum depth, app;
  };

  Step* at(Micros arrival) {
    if (current_ < steps_.size()) {
      Step& step = steps_[current_];
      if (static_cast<uint64_t>(arrival - step.number * kStep) < static_cast<uint64_t>(kStep)) return &step;
    }
    return find(arrival);
  }
  Step* find(Micros arrival);

  std::vector<Step> steps_;  // at most kSteps, in no order
  size_t current_ = 0;
  Micros since_ = INT64_MAX;
  bool routed_ = false;  // a scrape has seen a router line
  DynosSeen dynos_;
};

}  // namespace tailrace
