#pragma once
// What becomes of response times as routers are added: RouterModel run over and over, its lines read as
// Tailrace reads any lines, beside what really happened.

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "metrics/queueing/queueing.h"

namespace tailrace {

/// The same app under every routing: requests of one length, and rarely a long one.
struct RoutingStudyOptions {
  unsigned dynos = 20;
  double rate = 200;  // requests per second
  double service_ms = 50, slow_ms = 5000;
  double slow_share = 0.001;
  Micros duration = 1'200'000'000;  // of each run, after a minute that is not counted
  uint64_t seed = 1;
  std::vector<unsigned> routers = {1, 2, 5, 10, 20, 50, 100};
};

/// Seconds.
struct Percentiles {
  double mean = 0, p50 = 0, p95 = 0, p99 = 0, max = 0;
};

struct RoutingStudyRun {
  unsigned routers = 0;   // 0: random assignment
  double slow_share = 0;  // 0: every request is of one length
  uint64_t requests = 0;  // that ended
  uint64_t timeouts = 0;  // H12 of them
  uint64_t late = 0;      // of those that a dyno served: waited longer than they were served
  // From the lines, by the scanners and sketches of metrics/.
  Percentiles took;       // `wait` + `service`
  Percentiles told_wait;  // `wait`
  Percentiles app_wait;   // `measure#queue`
  Queueing queueing;      // of the whole run
  // What really happened, from every single value.
  Percentiles really_took, really_waited;
  double busy = 0;  // mean share of the dynos that serve
};

/// First `queue` with each number of routers, then `random`; the same arguments, the same figures.
std::vector<RoutingStudyRun> routing_study(const RoutingStudyOptions& options, bool with_slow);

}  // namespace tailrace
