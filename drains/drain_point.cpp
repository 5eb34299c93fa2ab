#include "drains/drain_point.h"

#include <algorithm>

#include "base/sketch.h"

namespace tailrace {
namespace {

constexpr uint32_t kPart = 4;  // of Buckets' parts in one of ours

int badness(DrainState state) {
  switch (state) {
    case DrainState::ok:
      return 0;
    case DrainState::pending:
      return 1;
    case DrainState::paused:
      return 2;
    case DrainState::failing:
      return 3;
  }
  return 0;
}

}  // namespace

DrainState worse(DrainState a, DrainState b) {
  return badness(a) < badness(b) ? b : a;
}

void AnswerBuckets::insert(std::chrono::microseconds took) {
  const double seconds = double(std::max<int64_t>(took.count(), 1)) / 1e6;
  buckets_.insert(Buckets::bucket_of(seconds) / kPart);
  ++answers_;
}

void AnswerBuckets::merge(const AnswerBuckets& other) {
  buckets_.merge(other.buckets_);
  answers_ += other.answers_;
}

double AnswerBuckets::quantile(double q) const {
  if (!answers_) return std::numeric_limits<double>::quiet_NaN();
  const uint32_t part = buckets_.nth(nearest_rank(q, answers_)) * kPart;
  return (Buckets::lower_end(part) + Buckets::lower_end(part + kPart)) / 2;
}

void DrainPoint::merge(const DrainPoint& other) {
  state = worse(state, other.state);
  delivered += other.delivered;
  filtered += other.filtered;
  for (size_t reason = 0; reason < dropped.size(); ++reason) dropped[reason] += other.dropped[reason];
  buffered = std::max(buffered, other.buffered);
  lag = std::max(lag, other.lag);
  took.merge(other.took);
}

void DrainPoint::add(const Ledger& before, const Ledger& after) {
  delivered += after.delivered - before.delivered;
  filtered += after.filtered - before.filtered;
  for (size_t reason = 0; reason < dropped.size(); ++reason)
    dropped[reason] += after.dropped[reason] - before.dropped[reason];
}

bool DrainPoint::quiet() const {
  return !delivered && !filtered && !took.answers() && dropped == Drops{};
}

}  // namespace tailrace
