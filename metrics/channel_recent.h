#pragma once
// What came of one channel in the last 60 s, for who looks at all channels often.

#include <cstdint>
#include <limits>
#include <string>

#include "base/sketch.h"
#include "metrics/recent_records.h"
#include "metrics/router_counts.h"

namespace tailrace {

/// All threads together, as a scrape would show it; a plain value. Seconds; NaN where nothing came.
struct ChannelRecent {
  uint32_t index = 0;  // Channel::index
  double records_per_second = 0, requests_per_second = 0;
  uint64_t requests = 0, failed = 0;  // router lines; of them, with 5xx or without a status
  uint64_t timed = 0;                 // of them, with a time of service, whose quantiles these are
  double p50 = std::numeric_limits<double>::quiet_NaN();
  double p95 = std::numeric_limits<double>::quiet_NaN();
  double p99 = std::numeric_limits<double>::quiet_NaN();
};

/// How it comes about: threads' shares add to one of these.
struct RecentTotal {
  RecentRecordsTotal records;
  RouterRecent router;

  ChannelRecent finish(uint32_t index, Micros now) const;
};

/// The service times of one dyno in the last 60 s.
struct DynoTime {
  std::string dyno;
  double p95 = 0;  // seconds
};

}  // namespace tailrace
