#pragma once
// What is kept of one series' values in one window.

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/sketch.h"
#include "channels/position.h"
#include "metrics/histogram.h"

namespace tailrace {

/// Which of two values is the later one: by line time, then by position.
struct Stamp {
  Micros time = INT64_MIN;
  Position position;
  auto operator<=>(const Stamp&) const = default;
};

/// A value: moved, not copied; one owner at a time. Merging is commutative and associative: whatever way
/// values come together, over threads, windows or nodes, the cell is the same (the sum to the last bit or
/// nearly).
class Cell {
 public:
  /// Any finite value; others are ignored.
  void add(double value, Stamp at);
  /// `n` lines that count as 1 each, the latest at `at`.
  void add_lines(uint64_t n, Stamp at);
  void merge(const Cell& other);

  uint64_t count() const;
  double sum() const, min() const, max() const, mean() const, last() const;  // NaN when empty, the sum 0
  /// Of nearest rank; within 0.78 %, exact at both ends.
  double quantile(double q) const;

  /// Appends a form that decode() reads back, on any machine; a few bytes for a few values.
  void encode(std::string& out) const;
  /// Takes one from the front of `text`; false if it is damaged.
  bool decode(std::string_view& text);

  size_t memory() const;  // bytes on the heap
};

}  // namespace tailrace
