#pragma once
// Which numbered messages arrived: missing, repeated, out of order.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tailrace {

/// A set of numbers as ranges: its memory grows with its holes, not with its size.
class NumberSet {
 public:
  /// False if it was there already.
  bool insert(uint64_t n);
  uint64_t size() const { return size_; }
  bool empty() const { return ranges_.empty(); }
  /// Numbers between the lowest and the highest that are not there.
  uint64_t holes() const { return empty() ? 0 : highest() - lowest() + 1 - size_; }
  uint64_t lowest() const { return ranges_.begin()->first; }
  uint64_t highest() const { return ranges_.rbegin()->second; }
  size_t ranges() const { return ranges_.size(); }

 private:
  std::map<uint64_t, uint64_t> ranges_;  // first number to last number; never adjacent
  uint64_t size_ = 0;
};

/// Reads `seq=CCCC-NNNNNNNNNN` (source and number) or `seq=N` out of messages. Used by one thread.
class SequenceCheck {
 public:
  void note(std::string_view message);

  struct Counts {
    uint64_t unique = 0;      // numbers that arrived
    uint64_t repeated = 0;    // arrivals of a number that was there
    uint64_t reordered = 0;   // first arrivals behind a higher number of their source
    uint64_t missing = 0;     // holes between each source's lowest and highest number
    uint64_t unnumbered = 0;  // messages without a number
    uint64_t sources = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  std::map<std::string, NumberSet, std::less<>> sources_;
  Counts counts_;
};

}  // namespace tailrace
