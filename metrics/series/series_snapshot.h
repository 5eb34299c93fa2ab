#pragma once
// The series of one channel at one moment, all threads together.

#include <array>
#include <unordered_map>
#include <vector>

#include "metrics/quantiles.h"
#include "metrics/series/series_counts.h"
#include "metrics/series/series_table.h"

namespace tailrace {

/// What is shown of one series.
struct SeriesValues {
  SeriesPtr series;
  uint64_t count = 0;  // since the start, as is the sum
  double sum = 0;
  double last = 0;
  Stamp last_at;
  std::array<double, kQuantiles.size()> quantiles;  // of the last 60 s; NaN where nothing came
};

/// A plain value.
struct SeriesSnapshot {
  std::vector<SeriesValues> values;  // by kind, then name, source, unit
  SeriesTable::Totals totals;
  PairsRejected rejected;

  bool empty() const { return values.empty() && totals.folded == 0 && totals.limit == 0; }
};

/// How it comes about: add() each thread's share, under that share's lock, then finish() without any.
class SeriesMerge {
 public:
  void add(SeriesCounts& share, Micros now);
  /// Dynos' gauges that have been idle are left out, whether or not the table has expired them.
  SeriesSnapshot finish(const SeriesTable& table, Micros now);

 private:
  struct Merged {
    SeriesPtr series;
    SeriesCounts::Counts counts;
    SignedSketch recent;
  };
  std::unordered_map<SeriesId, Merged> merged_;
  PairsRejected rejected_;
};

}  // namespace tailrace
