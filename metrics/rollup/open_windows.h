#pragma once
// One thread's values of one channel that no store has yet, by window.

#include <cstdint>
#include <utility>
#include <vector>

#include "metrics/rollup/cell.h"
#include "metrics/rollup/covered.h"
#include "metrics/series/series.h"

namespace tailrace {

/// A stretch of time: minute, ten minutes or hour, aligned to the epoch.
struct WindowSpan {
  Micros begin = 0;
  Micros length = 0;  // one of kWindowLengths
  auto operator<=>(const WindowSpan&) const = default;
};
inline constexpr Micros kMinute = 60'000'000;
inline constexpr Micros kWindowLengths[] = {kMinute, 10 * kMinute, 60 * kMinute};
/// How old the end of a window may be before it is merged into the next coarser one, or goes.
inline constexpr Micros kWindowAges[] = {120 * kMinute, 72 * 60 * kMinute, 7 * 24 * 60 * kMinute};

class OpenWindow {
 public:
  void add(SeriesId series, double value, Stamp at);
  /// For the fixed series that count lines.
  void count(SeriesId series, Stamp at);
  /// use(SeriesId, const Cell&)
  template <class F>
  void for_each(F&& use) const;
};

/// Owned by one thread's share of a channel, which locks around every call.
class OpenWindows {
 public:
  /// The window of a line: null if it is later than any window is kept. A time too far ahead is set back to
  /// `arrival` first. Valid until the next call.
  OpenWindow* at(Micros& time, Micros arrival);

  /// Records of a batch whose positions are [first, past): call it once per slice, with whatever it added.
  void cover(Position first, Position past) { covered_.add(first, past); }

  uint64_t late() const, ahead() const;  // lines since the start

  struct Taken {
    std::vector<std::pair<WindowSpan, OpenWindow>> windows;
    Covered covered;
  };
  /// All of it, in one step; it is empty afterwards, but for late() and ahead().
  Taken take();
  /// Looks without taking: for questions between two takes. use(WindowSpan, const OpenWindow&)
  template <class F>
  void for_each(F&& use) const;

 private:
  Covered covered_;
};

}  // namespace tailrace
