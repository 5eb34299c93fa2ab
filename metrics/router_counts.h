#pragma once
// What is counted of one channel's router lines.

#include "metrics/exemplars.h"
#include "metrics/histogram.h"
#include "metrics/lines/router_line.h"
#include "metrics/queueing/queueing_window.h"
#include "metrics/rollup/open_windows.h"
#include "metrics/sparse_counters.h"
#include "metrics/window.h"

namespace tailrace {

/// Since the start.
struct RouterCounts {
  static constexpr size_t kNoBucket = SIZE_MAX;
  /// The bucket of the service time.
  size_t add(const RouterLine& line);
  void merge(const RouterCounts& other);

  SparseCounters<500> requests;  // by status - 100
  uint64_t without_status = 0;   // further requests
  SparseCounters<100> errors;    // by code number, H alone
  std::array<SecondsHistogram, kTimings> timings;
  DepthHistogram queue;
  double bytes = 0;
  uint64_t with_bytes = 0;
};

/// All threads' together.
struct RouterTotal {
  RouterCounts counts;
  TimingSketches recent;
  QueueingTotal queueing;
  Exemplars exemplars;
};

/// One thread's share: since the start, and of the last 60 s by arrival. Its owner locks around every call.
class RouterShare {
 public:
  /// `time`: the line's own.
  void add(const RouterLine& line, std::string_view message, Micros time, Micros arrival);
  void add_app_queue(Micros arrival, double seconds) { queueing_.add_app_queue(arrival, seconds); }
  /// Gives back memory that is not needed any more.
  void merge_into(RouterTotal& into, Micros now);

 private:
  RouterCounts counts_;
  Window window_;
  QueueingWindow queueing_;
  Exemplars exemplars_;
};

/// What a router line adds to the window of its time.
void add_to_window(OpenWindow& window, const RouterLine& line, Stamp at);

}  // namespace tailrace
