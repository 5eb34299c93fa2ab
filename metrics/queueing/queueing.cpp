#include "metrics/queueing/queueing.h"

#include <limits>

namespace tailrace {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : kUnknown;
}

}  // namespace

double CountSum::mean() const {
  return ratio(sum, static_cast<double>(count));
}

Queueing Queueing::of(const QueueingNumbers& n) {
  Queueing q;
  q.rate = ratio(static_cast<double>(n.requests), n.seconds);
  q.concurrency = ratio(n.service.sum, n.seconds);
  q.dynos = n.dynos;
  q.saturation = ratio(q.concurrency, static_cast<double>(n.dynos));
  q.wait = n.wait.mean();
  // Arrivals of a Poisson process see time averages: the mean depth found is Little's L, and W = L / rate.
  q.depth = ratio(n.depth.mean(), q.rate);
  q.app = n.app.mean();
  return q;
}

}  // namespace tailrace
