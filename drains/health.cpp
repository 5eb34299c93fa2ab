#include "drains/health.h"

#include <algorithm>
#include <utility>

#include "base/time_text.h"

namespace tailrace {

std::string notice_line(Micros now, const std::string& text) {
  return rfc3339_micros(now) + " heroku[logplex]: " + text;
}

void DrainHealth::delivered(Micros now, uint64_t waiting, uint64_t dropped) {
  if (state_ == DrainState::ok) return;
  if (state_ != DrainState::pending) {
    outage_since_ = since_;
    recovered_at_ = now;
    waiting_ = waiting;
    dropped_at_recovery_ = dropped;
    late_ = 0;
  }
  state_ = DrainState::ok;
  since_ = now;
  cause_.clear();
}

std::optional<std::string> DrainHealth::settled(Micros now, uint64_t records, uint64_t dropped) {
  if (!recovering()) return std::nullopt;
  late_ += std::min(records, waiting_ - late_);
  if (late_ + (dropped - dropped_at_recovery_) < waiting_) return std::nullopt;
  const auto outage = std::chrono::microseconds(std::exchange(recovered_at_, 0) - outage_since_);
  return notice_line(now, "drain '" + token_ + "' recovered after " + duration_text(outage) + ": " +
                              std::to_string(dropped - dropped_before_) + " dropped, " +
                              std::to_string(late_) + " delivered late");
}

std::optional<std::string> DrainHealth::failed(Micros now, Micros since, const std::string& cause,
                                               uint64_t dropped) {
  if (state_ == DrainState::paused) return std::nullopt;  // still paused; a probe that fails changes nothing
  return trouble(DrainState::failing, now, since ? since : now, cause, dropped);
}

std::optional<std::string> DrainHealth::paused(Micros now, const std::string& cause, uint64_t dropped) {
  return trouble(DrainState::paused, now, now, cause, dropped);
}

std::optional<std::string> DrainHealth::resumed(Micros now, uint64_t waiting) {
  if (state_ != DrainState::paused) return std::nullopt;
  const auto rested = std::chrono::microseconds(now - since_);
  state_ = DrainState::pending;
  since_ = now;
  cause_.clear();
  return notice_line(now, "drain '" + token_ + "' resumed after " + duration_text(rested) + ": " +
                              std::to_string(waiting) + " waiting");
}

std::optional<std::string> DrainHealth::trouble(DrainState state, Micros now, Micros since,
                                                const std::string& cause, uint64_t dropped) {
  cause_ = cause;
  if (state_ == state) return std::nullopt;
  if (recovering()) {
    // It was over for a moment only: one outage, with its first beginning and all its losses.
    since = outage_since_;
    recovered_at_ = 0;
  } else if (state_ == DrainState::failing) {
    since = since_;
  } else {
    dropped_before_ = dropped;
  }
  state_ = state;
  since_ = since;
  return notice_line(
      now, "drain '" + token_ + "' " + to_string(state) + " since " + rfc3339_micros(since) + ": " + cause);
}

}  // namespace tailrace
