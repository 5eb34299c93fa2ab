#pragma once
// Which records of a channel are counted: all below a position, and ranges behind it.

#include <utility>
#include <vector>

#include "channels/position.h"

namespace tailrace {

/// Threads report their batches in no common order, and numbers have holes; so one position is not enough
/// until a gap has closed. Ranges that touch are one. Not thread-safe.
class Covered {
 public:
  void add(Position first, Position past);
  void merge(const Covered& other);
  bool holds(Position position) const;
  const std::vector<std::pair<Position, Position>>& ranges() const {
    return ranges_;
  }  // ascending, [first, past)

 private:
  std::vector<std::pair<Position, Position>> ranges_;
};

}  // namespace tailrace
