#include "metrics/series/series_snapshot.h"

#include <algorithm>
#include <tuple>

namespace tailrace {

void SeriesMerge::add(SeriesCounts& share, Micros now) {
  share.for_each(
      now, [&](const SeriesPtr& series, const SeriesCounts::Counts& counts, const RecentValues* recent) {
        Merged& merged = merged_[series->id];
        if (!merged.series) merged.series = series;
        merged.counts.merge(counts);
        if (recent) recent->merge_into(merged.recent, now);
      });
  rejected_.merge(share.rejected());
}

SeriesSnapshot SeriesMerge::finish(const SeriesTable& table, Micros now) {
  SeriesSnapshot snapshot;
  snapshot.totals = table.totals();
  snapshot.rejected = rejected_;
  snapshot.values.reserve(merged_.size());
  for (auto& [id, merged] : merged_) {
    if (merged.counts.count == 0) continue;  // known from records that were read again
    const SeriesKind kind = merged.series->kind;
    const auto seen = merged.series->seen();
    if (!seen || (is_dyno_gauge(kind) && now - *seen > kDynoIdle)) continue;
    SeriesValues& values = snapshot.values.emplace_back();
    values.count = merged.counts.count;
    values.sum = merged.counts.sum.value();
    values.last = merged.counts.last;
    values.last_at = merged.counts.last_at;
    for (size_t q = 0; q < kQuantiles.size(); ++q)
      values.quantiles[q] = merged.recent.quantile(kQuantiles[q]);
    values.series = std::move(merged.series);
  }
  std::sort(snapshot.values.begin(), snapshot.values.end(), [](const auto& a, const auto& b) {
    const SeriesKey left = a.series->key(), right = b.series->key();
    return std::tie(left.kind, left.name, left.source, left.unit) <
           std::tie(right.kind, right.name, right.source, right.unit);
  });
  return snapshot;
}

}  // namespace tailrace
