#pragma once
// Whether a drain works, since when, and what its owner is told when that changes.

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace tailrace {

enum class DrainState : uint8_t { pending, ok, failing, paused };
inline const char* to_string(DrainState state) {
  constexpr const char* names[] = {"pending", "ok", "failing", "paused"};
  return names[size_t(state)];
}

/// pending ──delivered──▶ ok ──failed──▶ failing ──delivered──▶ ok
///    └──────failed──────────────────▶ │  ▲
///                     refused (401…)  ▼  │ failed otherwise
///                                    paused ──delivered──▶ ok
///
/// A value of its drain's loop. Every method that returns a text returns the line to tell, or nothing: only a
/// change of state is told.
class DrainHealth {
 public:
  DrainHealth(std::string drain_token, Micros now) : token_(std::move(drain_token)), since_(now) {}

  /// The far end took something. `waiting`: records that lie behind at this moment, what it took included.
  /// Recovery is told by caught_up(), when they have been delivered too.
  void delivered(Micros now, uint64_t waiting);
  /// `records` more came to their end since delivered(): tells the recovery once all that waited has.
  std::optional<std::string> settled(Micros now, uint64_t records);
  void lost(uint64_t records);

  /// `since`: when the trouble began, if that was before this try.
  std::optional<std::string> failed(Micros now, Micros since, const std::string& cause);
  std::optional<std::string> paused(Micros now, const std::string& cause);

  DrainState state() const { return state_; }
  Micros since() const { return since_; }
  const std::string& cause() const { return cause_; }  // of failing and paused

 private:
  std::optional<std::string> trouble(DrainState state, Micros now, Micros since, const std::string& cause);

  std::string token_, cause_;
  DrainState state_ = DrainState::pending;
  Micros since_;
  // Of the outage that is being caught up with.
  Micros outage_since_ = 0, recovered_at_ = 0;
  uint64_t dropped_ = 0, waiting_ = 0, late_ = 0;
};

/// `NOW heroku[logplex]: TEXT`, the form of the router's own lines.
std::string notice_line(Micros now, const std::string& text);

}  // namespace tailrace
