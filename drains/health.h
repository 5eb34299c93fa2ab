#pragma once
// Whether a drain works, since when, and what its owner is told when that changes.

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "channels/ledger.h"

namespace tailrace {

enum class DrainState : uint8_t { pending, ok, failing, paused };
inline const char* to_string(DrainState state) {
  constexpr const char* names[] = {"pending", "ok", "failing", "paused"};
  return names[size_t(state)];
}

/// pending ──delivered──▶ ok ──failed──▶ failing ──delivered──▶ ok
///    └──────failed──────────────────▶ │
///                     refused (401…)  ▼
///                     held            paused ──delivered──▶ ok
///                                       └──────resumed────▶ pending
///
/// A value of its drain's loop. Every method that returns a text returns the line to tell, or nothing: only a
/// change of state is told.
class DrainHealth {
 public:
  DrainHealth(std::string drain_token, Micros now) : token_(std::move(drain_token)), since_(now) {}

  /// The far end took something. `before`: the account without what it took. The recovery is told by
  /// settled(), when all that waited by then has come to its end.
  void delivered(Micros now, const Ledger& before);
  /// Something came to its end, and this is the account now.
  std::optional<std::string> settled(Micros now, const Ledger& account);
  /// Whether settled() has something to wait for.
  bool recovering() const { return recovered_at_ != 0; }

  /// `since`: when the trouble began, if that was before this moment; else 0. `dropped`: the drain's total so
  /// far; what an outage cost is a difference of two of them.
  std::optional<std::string> failed(Micros now, Micros since, const std::string& cause, uint64_t dropped);
  std::optional<std::string> paused(Micros now, const std::string& cause, uint64_t dropped);
  /// By its owner, at `since`.
  std::optional<std::string> held(Micros now, Micros since, uint64_t dropped);
  /// Its owner, or somebody for him, lets it go on; `waiting`: records that lie behind.
  std::optional<std::string> resumed(Micros now, uint64_t waiting);

  DrainState state() const { return state_; }
  Micros since() const { return since_; }
  const std::string& cause() const { return cause_; }  // of failing and paused

 private:
  std::string told(Micros now) const;
  std::optional<std::string> trouble(DrainState state, Micros now, Micros since, const std::string& cause,
                                     uint64_t dropped);

  std::string token_, cause_;
  DrainState state_ = DrainState::pending;
  Micros since_;
  // Of the outage that is being caught up with.
  Micros outage_since_ = 0, recovered_at_ = 0;
  uint64_t dropped_before_ = 0;
  Ledger at_recovery_;
};

/// `NOW heroku[logplex]: TEXT`, the form of the router's own lines.
std::string notice_line(Micros now, const std::string& text);

}  // namespace tailrace
