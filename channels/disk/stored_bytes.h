#pragma once
// How many bytes of one channel lie between two of its records on disk, and about when they came.

#include <algorithm>
#include <vector>

#include "base/clock.h"

namespace tailrace {

/// A mark for each step of bytes or of time; in between it is taken to be even. Memory: 24 bytes for each
/// mark, of which a channel's bound on bytes allows 256 or so. Guarded by its log's lock.
class StoredBytes {
 public:
  /// `bytes` lie between the ordinals `first` and `end`, from an earlier start.
  StoredBytes(uint64_t first, uint64_t end, uint64_t bytes, Micros now)
      : first_(first), begun_(now), end_{end, bytes, now} {
    if (bytes) marks_.push_back(end_);
  }

  /// Up to `ordinal` there are `bytes` more; the newest of them arrived `newest`.
  void add(uint64_t ordinal, uint64_t bytes, Micros newest, uint64_t bytes_step, Micros time_step) {
    end_ = {ordinal, end_.bytes + bytes, newest};
    const Micros before = marks_.empty() ? begun_ : marks_.back().newest;
    const uint64_t marked = marks_.empty() ? 0 : marks_.back().bytes;
    if (end_.bytes - marked >= bytes_step || newest - before >= time_step) marks_.push_back(end_);
  }
  /// What lies before `ordinal` is not asked for any more.
  void forget(uint64_t ordinal) {
    size_t gone = 0;
    while (gone + 1 < marks_.size() && marks_[gone + 1].ordinal <= ordinal) ++gone;
    if (gone < 64 && gone * 2 < marks_.size()) return;
    first_ = std::max(first_, gone ? marks_[gone - 1].ordinal : first_);
    before_ = gone ? marks_[gone - 1].bytes : before_;
    marks_.erase(marks_.begin(), marks_.begin() + ptrdiff_t(gone));
  }

  uint64_t end_bytes() const { return end_.bytes; }
  /// Of all that lies before `ordinal`.
  uint64_t bytes_before(uint64_t ordinal) const {
    const auto [low, high] = around([&](const Mark& m) { return m.ordinal < ordinal; });
    return scaled(ordinal, low.ordinal, high.ordinal, low.bytes, high.bytes);
  }
  /// The first ordinal with `bytes` or more before it.
  uint64_t ordinal_at(uint64_t bytes) const {
    const auto [low, high] = around([&](const Mark& m) { return m.bytes < bytes; });
    return scaled(bytes, low.bytes, high.bytes, low.ordinal, high.ordinal);
  }
  /// All that lies before it arrived before `time`.
  uint64_t ordinal_older_than(Micros time) const {
    if (end_.newest < time) return end_.ordinal;
    uint64_t ordinal = first_;
    for (const Mark& m : marks_)
      if (m.newest < time) ordinal = m.ordinal;
    return ordinal;
  }
  /// Not before it did.
  Micros arrival_of(uint64_t ordinal) const {
    return around([&](const Mark& m) { return m.ordinal <= ordinal; }).second.newest;
  }

 private:
  struct Mark {
    uint64_t ordinal, bytes;  // of all that lies before
    Micros newest;
  };
  template <class Before>
  std::pair<Mark, Mark> around(Before&& before) const {
    const auto at = std::ranges::partition_point(marks_, before);
    return {at == marks_.begin() ? Mark{first_, before_, begun_} : *std::prev(at),
            at == marks_.end() ? end_ : *at};
  }
  static uint64_t scaled(uint64_t x, uint64_t x0, uint64_t x1, uint64_t y0, uint64_t y1) {
    if (x <= x0) return y0;
    if (x >= x1) return y1;
    return y0 + uint64_t(double(x - x0) / double(x1 - x0) * double(y1 - y0));
  }

  uint64_t first_, before_ = 0;  // of what marks_ tell
  Micros begun_;
  std::vector<Mark> marks_;
  Mark end_;
};

}  // namespace tailrace
