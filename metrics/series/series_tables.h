#pragma once
// The tables of all channels that have series.

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "metrics/series/series_table.h"

namespace tailrace {

/// Thread-safe; outlives every table it gave out. Channels by Channel::index.
class SeriesTables {
 public:
  SeriesTables(uint64_t channel_limit, uint64_t process_limit) : limits_(channel_limit, process_limit) {}

  /// Makes it if need be. Who counts asks once per channel and thread, never per line.
  std::shared_ptr<SeriesTable> open(uint32_t channel);
  /// Null if the channel never had a series, or was forgotten.
  std::shared_ptr<SeriesTable> find(uint32_t channel) const;
  /// The channel was removed: its room is there again once the last share lets go of the table.
  void forget(uint32_t channel);

  /// SeriesTable::expire() of all.
  void expire(Micros now);

  SeriesLimits& limits() { return limits_; }
  const SeriesLimits& limits() const { return limits_; }

 private:
  SeriesLimits limits_;
  mutable std::mutex mutex_;
  std::map<uint32_t, std::shared_ptr<SeriesTable>> tables_;
};

}  // namespace tailrace
