#include "cli/sink_timeline.h"

#include <algorithm>

namespace tailrace {
namespace {

void add(SinkTimeline::Bucket& to, const SinkTimeline::Bucket& later) {
  to.received += later.received;
  to.missing = later.missing, to.repeated = later.repeated;
  if (later.lags == 0) return;
  to.lag_least = to.lags ? std::min(to.lag_least, later.lag_least) : later.lag_least;
  to.lag_most = to.lags ? std::max(to.lag_most, later.lag_most) : later.lag_most;
  to.lags += later.lags;
  to.lag_sum += later.lag_sum;
}

}  // namespace

SinkTimeline::Bucket& SinkTimeline::bucket(Mono now) {
  length_ = std::max(length_, since_start(now));
  const auto index = [this] { return size_t(length_ / double(width_.count())); };
  while (index() >= kMostBuckets) {
    for (size_t i = 0; i < buckets_.size(); i += 2) {
      Bucket pair = buckets_[i];
      if (i + 1 < buckets_.size()) add(pair, buckets_[i + 1]);
      buckets_[i / 2] = pair;
    }
    buckets_.resize((buckets_.size() + 1) / 2);
    width_ *= 2;
  }
  while (buckets_.size() <= index()) {
    Bucket next;
    if (!buckets_.empty()) next.missing = buckets_.back().missing, next.repeated = buckets_.back().repeated;
    buckets_.push_back(next);
  }
  return buckets_.back();
}

void SinkTimeline::received(Mono now, uint64_t missing, uint64_t repeated) {
  Bucket& b = bucket(now);
  ++b.received;
  b.missing = missing, b.repeated = repeated;
}

void SinkTimeline::lagged(double seconds) {
  add(buckets_.back(), {.missing = buckets_.back().missing,
                        .repeated = buckets_.back().repeated,
                        .lags = 1,
                        .lag_sum = seconds,
                        .lag_least = seconds,
                        .lag_most = seconds});
}

void SinkTimeline::behaves(Mono now, const SinkBehaviour& how) {
  until(now);
  stretch_open_ = false;
  if (how == SinkBehaviour{.mode = SinkBehaviour::ok} || stretches_.size() >= kMostStretches) return;
  stretches_.push_back({length_, length_, to_string(how)});
  stretch_open_ = true;
}

void SinkTimeline::until(Mono now) {
  bucket(now);
  if (stretch_open_) stretches_.back().to = length_;
}

}  // namespace tailrace
