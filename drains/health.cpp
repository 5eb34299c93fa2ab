#include "drains/health.h"

#include <algorithm>

#include "base/time_text.h"

namespace tailrace {

std::string notice_line(Micros now, const std::string& text) {
  return rfc3339_micros(now) + " heroku[logplex]: " + text;
}

void DrainHealth::delivered(Micros now, uint64_t waiting) {
  if (state_ == DrainState::failing || state_ == DrainState::paused) {
    outage_since_ = since_;
    recovered_at_ = now;
    waiting_ = waiting;
    late_ = 0;
  }
  if (state_ == DrainState::ok) return;
  state_ = DrainState::ok;
  since_ = now;
  cause_.clear();
}

std::optional<std::string> DrainHealth::settled(Micros now, uint64_t records) {
  if (!recovered_at_) {
    if (state_ == DrainState::ok) dropped_ = 0;  // losses of good days are L10's to tell
    return std::nullopt;
  }
  late_ += std::min(records, waiting_ - late_);
  if (late_ < waiting_) return std::nullopt;
  const std::string text = "drain '" + token_ + "' recovered after " +
                           duration_text(std::chrono::microseconds(recovered_at_ - outage_since_)) + ": " +
                           std::to_string(dropped_) + " dropped, " + std::to_string(late_) + " delivered late";
  recovered_at_ = 0;
  dropped_ = 0;
  return notice_line(now, text);
}

void DrainHealth::lost(uint64_t records) {
  dropped_ += records;
  // What was lost while catching up need not be waited for.
  if (recovered_at_) waiting_ -= std::min(records, waiting_ - late_);
}

std::optional<std::string> DrainHealth::failed(Micros now, Micros since, const std::string& cause) {
  if (state_ == DrainState::paused) return std::nullopt;  // still paused; a probe that fails changes nothing
  return trouble(DrainState::failing, now, since ? since : now, cause);
}

std::optional<std::string> DrainHealth::paused(Micros now, const std::string& cause) {
  return trouble(DrainState::paused, now, now, cause);
}

std::optional<std::string> DrainHealth::trouble(DrainState state, Micros now, Micros since,
                                                const std::string& cause) {
  cause_ = cause;
  if (state_ == state) return std::nullopt;
  if (recovered_at_) {
    // It was over for a moment only: one outage, with its first beginning and all its losses.
    since = outage_since_;
    recovered_at_ = 0;
  } else if (state_ == DrainState::failing) {
    since = since_;
  } else {
    dropped_ = 0;
  }
  state_ = state;
  since_ = since;
  return notice_line(now, "drain '" + token_ + "' " + to_string(state) + " since " + rfc3339_micros(since) + ": " +
                                     cause);
}

}  // namespace tailrace
