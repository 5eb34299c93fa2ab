#pragma once
// What a drain's owner may ask about its past: answer times, what was lost, what was refused for good.

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/sketch.h"
#include "channels/ledger.h"
#include "channels/position.h"

namespace tailrace {

/// Records that were given up one behind the other.
struct LostRange {
  Position first;  // the number of the first of them, or one before it
  uint64_t records = 0;
  Micros since = 0, until = 0;  // when the first and the last of them were given up
  DropReason reason = DropReason::overflow;
};

/// A record that the far end refused for good while it stood alone.
struct DeadLetter {
  Position number;
  Micros refused_at = 0;
  std::string cause;  // `answered 400`
  std::string text;   // the record as it was stored, RFC 5424; of a long one the beginning
  size_t bytes = 0;   // of all of it
};

struct AnswerTimes {
  uint64_t answers = 0;
  double p50 = 0, p99 = 0;  // seconds; meaningless without answers
  // Since the start.
  uint64_t all_answers = 0;
  double all_seconds = 0;
};

/// Thread-safe. Bounded: the last kKept of each, and two windows of answer times. Outlives the Drain that
/// fills it when another takes its place; gone with the process.
class DrainHistory {
 public:
  static constexpr size_t kKept = 16;
  static constexpr size_t kLetterBytes = 2048;
  static constexpr auto kWindow = std::chrono::minutes(5);

  void answered(std::chrono::microseconds took, Mono now);
  /// Joins the last range if both have the same reason and little time lies between.
  void lost(const LostRange& range);
  void refused(Position number, Micros at, const std::string& cause, std::string_view text);
  /// An L14 was told.
  void certificate_told();

  AnswerTimes answer_times(Mono now) const;  // of the last five to ten minutes
  uint64_t certificate_notices() const;      // since the start
  std::vector<LostRange> losses() const;     // oldest first, as all lists here
  std::vector<DeadLetter> dead_letters() const;

 private:
  void turn(Mono now) const;

  mutable std::mutex mutex_;
  mutable Sketch now_, before_;
  mutable Mono window_ends_{};
  uint64_t all_answers_ = 0, certificate_notices_ = 0;
  double all_seconds_ = 0;
  std::deque<LostRange> losses_;
  std::deque<DeadLetter> dead_letters_;
};

}  // namespace tailrace
