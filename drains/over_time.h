#pragma once
// What a drain did over time: minutes for two hours, then tens of minutes for three days.

#include <atomic>
#include <mutex>
#include <vector>

#include "channels/cursor.h"
#include "drains/drain_point.h"
#include "drains/kept_points.h"

namespace tailrace {

/// What somebody who asks is given: the points of each length, in order of time, and the account of the same
/// moment. No point of ten minutes overlaps one of a minute.
struct DrainPast {
  static constexpr Micros kMinute = 60'000'000, kTen = 10 * kMinute;

  std::vector<DrainPoint> tens, minutes;
  Micros whole_from_tens = 0, whole_from_minutes = 0;  // from then on nothing is missing
  Ledger ledger;
};

/// Thread-safe. It counts nothing but answers: it looks at its drain's account now and then, and what came to
/// its end since the last look belongs to the minute in the middle between the two. So the sum of all points
/// is the account, however seldom anybody looks. DrainSet looks every ten seconds, the Drain when a minute
/// has turned or something changes. Nothing is kept of minutes in which nothing happened and nothing waited.
/// Outlives the Drain when another takes its place; gone with the process.
///
/// A clock that is set back by up to ten minutes goes on in the minute that it had come to; by more, and what
/// lies ahead of it counts in the minute that it says now. Lock order: its lock, then the log's.
class DrainOverTime {
 public:
  static constexpr Micros kMinutesFor = 120 * DrainPast::kMinute, kTensFor = 72 * 60 * DrainPast::kMinute;

  /// `account`: what the drain had done before, which is no part of its past here.
  DrainOverTime(const Ledger& account, Micros now);

  /// Whether another minute has begun, so that a look is due before anything else is counted.
  bool turned(Micros now) const { return now >= minute_ends_.load(std::memory_order_relaxed); }
  /// `cursor` is attached and stays so.
  void look(const Cursor& cursor, DrainState state, Micros now);
  /// The same by an account: oldest is the arrival of the oldest record that is buffered, 0 if none is.
  void look(const Ledger& ledger, Micros oldest, DrainState state, Micros now);
  /// A request was answered. After a look, if turned().
  void answered(std::chrono::microseconds took);
  /// Looks too.
  DrainPast past(const Cursor& cursor, DrainState state, Micros now);
  DrainPast past(const Ledger& ledger, Micros oldest, DrainState state, Micros now);

  /// Gives up the oldest points until it keeps so many bytes at most.
  void hold_bound(uint64_t most);
  size_t bytes() const;

 private:
  // With the lock held.
  void see(const Ledger& ledger, Micros oldest, DrainState state, Micros now);
  DrainPast past_now() const;
  void go_to(Micros time);
  void close();
  void age(Micros now);
  void set_back(Micros now);

  mutable std::mutex mutex_;
  std::atomic<Micros> minute_ends_;
  Ledger seen_;
  Micros seen_at_;
  DrainState state_ = DrainState::pending;  // as it was seen last
  DrainPoint open_;                         // of this minute
  bool changed_ = false;                    // the state did, in this minute
  KeptPoints minutes_{DrainPast::kMinute}, tens_{DrainPast::kTen};
  Micros whole_from_tens_, whole_from_minutes_;
};

}  // namespace tailrace
