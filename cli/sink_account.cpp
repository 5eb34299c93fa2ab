#include "cli/sink_account.h"

#include <algorithm>

#include "cli/sink_protocol.h"

namespace tailrace {
namespace {

constexpr size_t most_ids = 100'000;

bool is_notice(std::string_view frame) {
  return frame.find(" heroku logplex ") < 120 && frame.find("Error L10") != frame.npos;
}

}  // namespace

void SinkAccount::count(uint64_t SinkCounts::* what) {
  std::lock_guard lock(mutex_);
  ++(counted_.*what);
}

void SinkAccount::take(std::string_view frame) {
  const bool notice = is_notice(frame);
  const auto written = notice ? std::nullopt : frame_time(frame);
  std::lock_guard lock(mutex_);
  ++counted_.received;
  counted_.bytes += frame.size();
  if (notice) ++counted_.notices;
  numbers_.note(frame);
  const auto numbers = numbers_.counts();
  timeline_.received(mono_now(), numbers.missing, numbers.repeated);
  if (!written) return;
  const double lag = double(wall_now() - *written) / 1e6;
  timeline_.lagged(lag);
  lags_.insert(std::max(lag, 0.0));
}

void SinkAccount::take_request(const std::string& frame_id) {
  if (frame_id.empty()) return;
  std::lock_guard lock(mutex_);
  const auto [at, is_new] = frame_ids_.insert(frame_id);
  if (!is_new) {
    ++counted_.repeated_requests;
    return;
  }
  oldest_ids_.push_back(at);
  if (oldest_ids_.size() <= most_ids) return;
  frame_ids_.erase(oldest_ids_.front());
  oldest_ids_.pop_front();
}

void SinkAccount::behaves(const SinkBehaviour& how) {
  std::lock_guard lock(mutex_);
  timeline_.behaves(mono_now(), how);
}

SinkCounts SinkAccount::counts() const {
  std::lock_guard lock(mutex_);
  SinkCounts c = counted_;
  const SequenceCheck::Counts n = numbers_.counts();
  c.unique = n.unique, c.missing = n.missing, c.repeated = n.repeated, c.reordered = n.reordered;
  c.unnumbered = n.unnumbered;
  if (lags_.count() > 0)
    c.lag_p50 = lags_.quantile(0.5), c.lag_p99 = lags_.quantile(0.99), c.lag_most = lags_.max();
  return c;
}

SinkTimeline SinkAccount::timeline() const {
  std::lock_guard lock(mutex_);
  SinkTimeline copy = timeline_;
  copy.until(mono_now());
  return copy;
}

}  // namespace tailrace
