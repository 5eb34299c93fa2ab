#pragma once
// The newest records of a history that match, when it is not known yet which those are.

#include <algorithm>
#include <deque>

#include "channels/cursor.h"
#include "web/tail_filter.h"

namespace tailrace {

/// The newest reads of the history in which the newest `most` matching records lie. They pin what they hold,
/// up to kMost bytes: beyond that the oldest are given up.
class ChosenHistory {
 public:
  ChosenHistory(const TailFilterPtr& filter, uint64_t most) : filter_(filter), most_(most) {}

  static constexpr uint64_t kMost = 32 << 20;

  void add(Read read) {
    uint64_t matching = 0;
    for (const Record record : read.slice) matching += !filter_ || filter_->wants(record);
    if (!matching) read.slice = {};
    if (read.empty()) return;
    read.slice = compacted(read.slice);
    bytes_ += held(read);
    matching_ += matching;
    reads_.push_back({std::move(read), matching});
    while (!reads_.empty() && matching_ - reads_.front().matching >= most_) drop_oldest();
    for (; bytes_ > kMost && reads_.size() > 1; drop_oldest()) given_up_ += reads_.front().matching;
  }
  /// So many that match, and are not too many, are not here.
  uint64_t given_up() const { return std::min(given_up_, most_ - std::min(most_, matching_)); }
  uint64_t matching() const { return matching_; }
  /// Matching records in them that are too many, the oldest ones.
  uint64_t too_many() const { return matching_ - std::min(matching_, most_); }
  bool empty() const { return reads_.empty(); }
  Read take_oldest() {
    Read read = std::move(reads_.front().read);
    reads_.pop_front();
    return read;
  }

 private:
  struct Counted {
    Read read;
    uint64_t matching;
  };
  static uint64_t held(const Read& read) { return read.slice.chunk ? read.slice.chunk->capacity : 0; }
  void drop_oldest() {
    matching_ -= reads_.front().matching;
    bytes_ -= held(reads_.front().read);
    reads_.pop_front();
  }

  const TailFilterPtr& filter_;
  const uint64_t most_;
  std::deque<Counted> reads_;
  uint64_t matching_ = 0, bytes_ = 0, given_up_ = 0;
};

}  // namespace tailrace
