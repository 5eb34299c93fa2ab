#pragma once
// What is counted of one channel's router lines.

#include "metrics/exemplars.h"
#include "metrics/histogram.h"
#include "metrics/lines/router_line.h"
#include "metrics/queueing/queueing_window.h"
#include "metrics/router_batch.h"
#include "metrics/sparse_counters.h"
#include "metrics/window.h"

namespace tailrace {

/// Since the start.
struct RouterCounts {
  /// All but errors. The buckets of its histogram that service times fell into, as a set.
  uint32_t add(const RouterBatch& batch);
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

/// Of the last 60 s alone, and of that what an overview shows: all threads' together.
struct RouterRecent {
  Sketch service;
  QueueingTotal requests;  // but for what queues did, and dynos
};

/// One thread's share: since the start, and of the last 60 s by arrival. Its owner locks around every call.
class RouterShare {
 public:
  void add(const RouterBatch& batch);
  void add_error(int code) { counts_.errors.add(static_cast<size_t>(code)); }
  void add_app_queue(Micros arrival, double seconds) { queueing_.add_app_queue(arrival, seconds); }
  /// Gives back memory that is not needed any more.
  void merge_into(RouterTotal& into, Micros now);
  void merge_recent(RouterRecent& into, Micros now);

 private:
  void take_exemplars(uint32_t buckets, const RouterBatch& batch);

  RouterCounts counts_;
  Window window_;
  QueueingWindow queueing_;
  Exemplars exemplars_;
};

/// What router lines add to the window of their time.
void add_to_window(OpenWindow& window, const RouterBatch& batch);

}  // namespace tailrace
