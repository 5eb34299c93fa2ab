#pragma once
// What is counted of one channel: the counters, one thread's share of them, and all threads' together.

#include <limits>
#include <memory>
#include <string>

#include "channels/record.h"
#include "metrics/lines/code.h"
#include "metrics/histogram.h"
#include "metrics/lines/router_line.h"
#include "metrics/sparse_counters.h"
#include "metrics/window.h"

namespace tailrace {

inline constexpr std::array kQuantiles = {0.5, 0.95, 0.99, 1.0};

/// Since the start, of router lines.
struct RouterCounts {
  void add(const RouterLine& line);
  void merge(const RouterCounts& other);

  SparseCounters<500> requests;  // by status - 100
  uint64_t without_status = 0;   // further requests
  SparseCounters<100> errors;    // by code number, H alone
  std::array<SecondsHistogram, kTimings> timings;
  DepthHistogram queue;
  double bytes = 0;
  uint64_t with_bytes = 0;
};

/// One channel at one moment, all threads together; a plain value.
struct ChannelSnapshot {
  uint32_t index = 0;
  std::string id;
  uint64_t records = 0, bytes = 0;         // all records of the channel; bytes of their text
  SparseCounters<kCodes> platform_errors;  // by code number
  RouterCounts router;
  /// Of the last 60 s, by Timing and kQuantiles, in seconds; NaN where nothing came.
  std::array<std::array<double, kQuantiles.size()>, kTimings> quantiles;
};

/// One thread's share. Its owner locks around every call.
class ChannelCounts {
 public:
  /// No allocation, once the channel's usual statuses and times were seen.
  void add(const Record& record);

  /// Adds its counters to `into` and its last 60 s to `recent`; gives back memory that is not needed any
  /// more.
  void merge_into(ChannelSnapshot& into, TimingSketches& recent, Micros now);

 private:
  struct Router {
    RouterCounts counts;
    Window window;
  };
  void add_router_line(const Record& record);

  uint64_t records_ = 0, bytes_ = 0;
  SparseCounters<kCodes> platform_errors_;
  std::unique_ptr<Router> router_;  // from the first router line on: most channels of a quiet fleet have none
};

}  // namespace tailrace
