#include "drains/health.h"

#include <algorithm>
#include <utility>

#include "base/time_text.h"

namespace tailrace {

std::string notice_line(Micros now, const std::string& text) {
  return rfc3339_micros(now) + " heroku[logplex]: " + text;
}

void DrainHealth::delivered(Micros now, const Ledger& before) {
  if (state_ == DrainState::ok) return;
  if (state_ != DrainState::pending) {
    outage_since_ = since_;
    recovered_at_ = now;
    at_recovery_ = before;
  }
  state_ = DrainState::ok;
  since_ = now;
  cause_.clear();
}

std::optional<std::string> DrainHealth::settled(Micros now, const Ledger& account) {
  if (!recovering() || account.accepted - account.buffered < at_recovery_.accepted) return std::nullopt;
  // The last of them may have come along with what is new.
  const uint64_t otherwise =
      account.filtered + account.dropped_total() - at_recovery_.filtered - at_recovery_.dropped_total();
  const uint64_t late = std::min(account.delivered - at_recovery_.delivered,
                                 at_recovery_.buffered - std::min(at_recovery_.buffered, otherwise));
  const auto outage = std::chrono::microseconds(std::exchange(recovered_at_, 0) - outage_since_);
  return notice_line(now, "drain '" + token_ + "' recovered after " + duration_text(outage) + ": " +
                              std::to_string(account.dropped_total() - dropped_before_) + " dropped, " +
                              std::to_string(late) + " delivered late");
}

std::optional<std::string> DrainHealth::failed(Micros now, Micros since, const std::string& cause,
                                               uint64_t dropped) {
  if (state_ == DrainState::paused) return std::nullopt;  // still paused; a probe that fails changes nothing
  return trouble(DrainState::failing, now, since ? since : now, cause, dropped);
}

std::optional<std::string> DrainHealth::paused(Micros now, const std::string& cause, uint64_t dropped) {
  return trouble(DrainState::paused, now, now, cause, dropped);
}

std::optional<std::string> DrainHealth::held(Micros now, Micros since, uint64_t dropped) {
  if (state_ != DrainState::failing && !recovering()) dropped_before_ = dropped;
  recovered_at_ = 0;
  state_ = DrainState::paused;
  since_ = since;
  cause_ = "by its owner";
  return told(now);
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
  return told(now);
}

/// Of failing and paused.
std::string DrainHealth::told(Micros now) const {
  return notice_line(now, "drain '" + token_ + "' " + to_string(state_) + " since " + rfc3339_micros(since_) +
                              ": " + cause_);
}

}  // namespace tailrace
