#pragma once
// A sink's past in buckets of time: what its plot shows.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/sink_behaviour.h"

namespace tailrace {

/// Used by one thread at a time; `now` never goes back. A bucket is a second at first; when there are too
/// many, two become one.
class SinkTimeline {
 public:
  static constexpr size_t kMostBuckets = 1200, kMostStretches = 1000;

  struct Bucket {
    uint64_t received = 0;
    uint64_t missing = 0, repeated = 0;               // as they stood at its end
    uint64_t lags = 0;                                // records whose own time could be read
    double lag_sum = 0, lag_least = 0, lag_most = 0;  // seconds; meaningless without lags
  };
  /// Time during which the sink behaved in one way other than well; seconds since the start.
  struct Stretch {
    double from = 0, to = 0;
    std::string name;
  };

  explicit SinkTimeline(Mono start) : start_(start) {}

  void received(Mono now, uint64_t missing, uint64_t repeated);
  /// Of the record that was just received: how old it was, in seconds.
  void lagged(double seconds);
  void behaves(Mono now, const SinkBehaviour& how);
  /// Up to here everything is known.
  void until(Mono now);

  std::chrono::seconds width() const { return width_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }
  const std::vector<Stretch>& stretches() const { return stretches_; }
  double length() const { return length_; }  // seconds

 private:
  Bucket& bucket(Mono now);
  double since_start(Mono now) const { return std::chrono::duration<double>(now - start_).count(); }

  Mono start_;
  std::chrono::seconds width_{1};
  std::vector<Bucket> buckets_;
  std::vector<Stretch> stretches_;
  bool stretch_open_ = false;
  double length_ = 0;
};

}  // namespace tailrace
