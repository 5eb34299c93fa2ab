#pragma once
// One thread's values of one channel that no store has yet, by window.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "metrics/rollup/cell.h"
#include "metrics/rollup/covered.h"
#include "metrics/rollup/open_room.h"
#include "metrics/series/series.h"

namespace tailrace {

/// A stretch of time: minute, ten minutes or hour, aligned to the epoch.
struct WindowSpan {
  Micros begin = 0;
  Micros length = 0;  // one of kWindowLengths
  Micros end() const { return begin + length; }
  auto operator<=>(const WindowSpan&) const = default;
};
inline constexpr Micros kMinute = 60'000'000;
inline constexpr size_t kWindowKinds = 3;
inline constexpr Micros kWindowLengths[kWindowKinds] = {kMinute, 10 * kMinute, 60 * kMinute};
/// How old the end of a window may be before it is merged into the next coarser one, or goes.
inline constexpr Micros kWindowAges[kWindowKinds] = {120 * kMinute, 72 * 60 * kMinute, 7 * 24 * 60 * kMinute};
/// How far ahead of its arrival a line may be.
inline constexpr Micros kMostAhead = kMinute;

/// The window of that length that holds `time`.
constexpr WindowSpan window_of(Micros time, Micros length) {
  const Micros into = time % length;
  return {time - (into < 0 ? into + length : into), length};
}

/// Where the windows of a kind that are kept at `now` begin: on the border of a coarser one, which is filled
/// as a whole.
constexpr Micros kept_from(size_t kind, Micros now) {
  const size_t next = kind + 1 < kWindowKinds ? kind + 1 : kind;
  return window_of(now - kWindowAges[kind] - kWindowLengths[kind], kWindowLengths[next]).begin;
}

/// Cells of one window by series. What nearly every channel has lies in arrays that come into being with
/// their first value; the rest in a list with a hash beside it. Moved, not copied.
class OpenWindow {
 public:
  explicit OpenWindow(OpenRoom* room = nullptr) : held_(room) { held_.add(0, sizeof *this); }

  void add(SeriesId series, double value, Stamp at) {
    Cell& cell = series >= series_status_none ? own(series) : values(series);
    const size_t before = cell.memory();
    cell.add(value, at);
    held_.add(before, cell.memory());
  }
  /// The cell of a fixed series that has values.
  Cell& values(SeriesId series) {
    if (!values_) add_values();
    return (*values_)[series];
  }
  /// For series that count lines, fixed or own: `lines` of them, the latest at `at`.
  void count(SeriesId series, Stamp at, uint64_t lines = 1) {
    if (series - series_status_none >= kCounting) return own(series).add_lines(lines, at);
    LineCount& line = counts(series - series_status_none);
    line.lines += lines;
    if (at > line.last) line.last = at;
  }

  /// use(SeriesId, const Cell&)
  template <class F>
  void for_each(F&& use) const {
    for (SeriesId i = 0; values_ && i < values_->size(); ++i)
      if ((*values_)[i].count()) use(i, std::as_const((*values_)[i]));
    for (uint32_t i = 0; i < kCounting; ++i) {
      const uint8_t block = block_of_[i / kBlock];
      if (!block) continue;
      const LineCount& line = blocks_[block - 1u][i % kBlock];
      if (!line.lines) continue;
      Cell cell;
      cell.add_lines(line.lines, line.last);
      use(series_status_none + i, std::as_const(cell));
    }
    for (const Own& own : own_) use(own.series, own.cell);
  }

  size_t memory() const;  // bytes on the heap
  /// With itself, as its room has them: what cells of routers' many values take is left out.
  uint64_t held() const { return held_.bytes(); }

 private:
  static constexpr uint32_t kCounting = first_own_series - series_status_none, kBlock = 4;
  using Values = std::array<Cell, series_status_none>;
  struct LineCount {
    uint64_t lines = 0;
    Stamp last;
  };
  struct Own {
    SeriesId series;
    Cell cell;
  };

  LineCount& counts(uint32_t which) {
    uint8_t& block = block_of_[which / kBlock];
    if (!block) block = add_block();
    return blocks_[block - 1u][which % kBlock];
  }
  uint8_t add_block();
  void add_values();

  /// Series' numbers are dense, so they are their own hash.
  Cell& own(SeriesId series) {
    if (!slots_.empty())
      for (size_t at = series & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
        const uint32_t slot = slots_[at];
        if (!slot) break;
        if (own_[slot - 1].series == series) return own_[slot - 1].cell;
      }
    return add_own(series);
  }
  Cell& add_own(SeriesId series);

  std::unique_ptr<Values> values_;
  std::array<uint8_t, (kCounting + kBlock - 1) / kBlock> block_of_{};  // 0: none; else its place plus one
  std::vector<std::array<LineCount, kBlock>> blocks_;
  std::vector<Own> own_;         // in order of their first values
  std::vector<uint32_t> slots_;  // a power of two, half full at most: 0, or a place in own_ plus one
  OpenBytes held_;
};

/// By kWindowLengths: windows of this length are not whole before.
using WholeFrom = std::array<Micros, kWindowKinds>;

/// What is missing in either is missing in both.
inline void raise(WholeFrom& whole, const WholeFrom& other) {
  for (size_t kind = 0; kind < kWindowKinds; ++kind) whole[kind] = std::max(whole[kind], other[kind]);
}

/// Owned by one thread's share of a channel, which locks around every call. Bounded by what is kept: 120
/// minutes, 432 tens of minutes and 168 hours, and the few around now; and by `room`, which outlives it and
/// what is taken. Where that is short, lines of minutes before the last one count in hours, and further ones
/// in none; both is told by whole_from.
class OpenWindows {
 public:
  explicit OpenWindows(OpenRoom* room = nullptr) : room_(room) {}

  /// The window of a line: null if it is older than any window that is kept, or there is no room. A time too
  /// far ahead is set back to `arrival` first. `replay`: an earlier run has counted the line as late or
  /// ahead. Valid until the next call.
  OpenWindow* at(Micros& time, Micros arrival, bool replay = false) {
    if (static_cast<uint64_t>(time - begin_) < kMinute && length_ == kMinute && time - arrival <= kMostAhead)
      return current_;
    return find(time, arrival, replay);
  }

  /// The one that current() was. Valid until the next call.
  OpenWindow* again(const WindowSpan& span) {
    if (span == current() && length_ != 0) return current_;
    return open(span);
  }

  /// Records of a batch whose positions are [first, past): call it once per slice, with whatever it added.
  void cover(Position first, Position past) {
    covered_.add(first, past);
    if (covered_.ranges().size() > Covered::kMostRanges) crowded_ranges();
    records_ += past.value - first.value;  // a slice's numbers have no hole
  }

  /// Of the window that at() gave last.
  WindowSpan current() const { return {begin_, static_cast<Micros>(length_)}; }

  uint64_t late() const { return late_; }    // lines since the start, but for those that are read again
  uint64_t ahead() const { return ahead_; }  // the same

  struct Taken {
    std::vector<std::pair<WindowSpan, OpenWindow>> windows;  // by span
    Covered covered;
    uint64_t records = 0;    // that were covered
    uint64_t late = 0;       // since the last take
    WholeFrom whole_from{};  // for want of room
  };
  /// All of it, in one step; it is empty afterwards, but for late() and ahead().
  Taken take();
  /// Whether take() would give anything.
  bool empty() const {
    return windows_.empty() && covered_.ranges().empty() && late_untaken_ == 0 && whole_from_ == WholeFrom();
  }
  /// Looks without taking. use(WindowSpan, const OpenWindow&)
  template <class F>
  void for_each(F&& use) const {
    for (const auto& [span, window] : windows_) use(span, window);
  }

 private:
  OpenWindow* find(Micros& time, Micros arrival, bool replay);
  OpenWindow* open(const WindowSpan& span);
  void crowded_ranges();
  OpenRoom::Room room_for(const WindowSpan& span, Micros arrival);

  OpenRoom* room_;
  Micros begin_ = 0;     // of the last one that was asked for
  uint64_t length_ = 0;  // its length; 0: there is none
  OpenWindow* current_ = nullptr;
  std::vector<std::pair<WindowSpan, OpenWindow>> windows_;  // by span
  uint64_t held_ = 0;                                       // by windows_, but for what current_ has grown by
  uint64_t current_held_ = 0;
  Covered covered_;
  WholeFrom whole_from_{};
  uint64_t records_ = 0;
  uint64_t late_ = 0, ahead_ = 0, late_untaken_ = 0;
};

}  // namespace tailrace
