#pragma once
// What a drain did within one step of its history.

#include <chrono>

#include "base/buckets.h"
#include "base/clock.h"
#include "channels/ledger.h"
#include "drains/health.h"

namespace tailrace {

/// Of two states the one that its owner should see: failing, paused, pending, ok.
DrainState worse(DrainState a, DrainState b);

/// How long requests took until they were answered, within 3.2 %: parts of a sixteenth of an octave, so that
/// thousands of such points are small. A value, moved but not copied.
class AnswerBuckets {
 public:
  void insert(std::chrono::microseconds took);
  void merge(const AnswerBuckets& other);

  uint64_t answers() const { return answers_; }
  double quantile(double q) const;  // seconds, of nearest rank; NaN when empty

  /// As Buckets has it; decode() into an empty one.
  void encode(std::string& out) const { buckets_.encode(out); }
  bool decode(std::string_view& text) { return buckets_.decode(text, answers_); }

 private:
  uint64_t answers_ = 0;
  Buckets buckets_;  // by a quarter of their numbers
};

/// A value, moved but not copied. Merging those of two steps is what one of both steps would have been.
struct DrainPoint {
  Micros time = 0;  // when the step begins
  DrainState state = DrainState::ok;
  uint64_t delivered = 0, filtered = 0;
  Drops dropped{};
  uint64_t buffered = 0;  // the most that was seen
  Micros lag = 0;         // the same; whole milliseconds
  AnswerBuckets took = {};

  void merge(const DrainPoint& other);
  /// What came to its end between two looks at one account.
  void add(const Ledger& before, const Ledger& after);
  /// Nothing came to its end, and nothing was answered.
  bool quiet() const;
};

}  // namespace tailrace
