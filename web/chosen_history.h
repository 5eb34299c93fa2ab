#pragma once
// The newest records of a history that match, when it is not known yet which those are.

#include <algorithm>
#include <deque>

#include "channels/cursor.h"
#include "web/tail_filter.h"

namespace tailrace {

/// The newest reads of the history in which the newest `most` matching records lie. They pin what they hold.
class ChosenHistory {
 public:
  ChosenHistory(const TailFilterPtr& filter, uint64_t most) : filter_(filter), most_(most) {}

  void add(Read read) {
    uint64_t matching = 0;
    for (const Record record : read.slice) matching += !filter_ || filter_->wants(record);
    if (!matching) read.slice = {};
    if (read.empty()) return;
    reads_.push_back({std::move(read), matching});
    matching_ += matching;
    for (; !reads_.empty() && matching_ - reads_.front().matching >= most_; reads_.pop_front())
      matching_ -= reads_.front().matching;
  }
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
  const TailFilterPtr& filter_;
  const uint64_t most_;
  std::deque<Counted> reads_;
  uint64_t matching_ = 0;
};

}  // namespace tailrace
