#pragma once
// Which records of a channel are counted: all below a position, and ranges behind it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/position.h"

namespace tailrace {

/// Threads report their batches in no common order, and numbers have holes; so one position is not enough
/// until a gap has closed. Ranges that touch are one. Not thread-safe.
///
/// Two threads that append in turn leave a range per batch until their shares come together; only then it is
/// known which gaps are holes. So shares are taken early when they have many, and the store alone bounds
/// them.
class Covered {
 public:
  /// In the store, and before a share asks to be taken.
  static constexpr size_t kMostRanges = 1000;
  /// In a share, if nobody takes it for that long.
  static constexpr size_t kMostInShare = 100'000;
  using Range = std::pair<Position, Position>;  // [first, past)

  void add(Position first, Position past) {
    if (!ranges_.empty() && ranges_.back().second == first && first < past)
      ranges_.back().second = past;
    else
      insert(first, past);
  }
  void merge(const Covered& other);
  /// Closes the oldest gaps, as if they had been counted, if there are more ranges than that.
  void bound(size_t most);
  bool holds(Position position) const;
  /// What it does not hold of [first, past), ascending.
  std::vector<Range> gaps(Position first, Position past) const;
  /// Ascending.
  const std::vector<Range>& ranges() const { return ranges_; }

  void encode(std::string& out) const;
  /// Takes one from the front of `text`; false if it is damaged.
  bool decode(std::string_view& text);

  bool operator==(const Covered&) const = default;

 private:
  void insert(Position first, Position past);

  std::vector<Range> ranges_;
};

}  // namespace tailrace
