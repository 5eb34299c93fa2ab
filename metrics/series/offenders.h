#pragma once
// What uses up a channel's series, as templates: `api.users.*.time`.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series/series.h"

namespace tailrace {

/// Series that differ only in what stands for `*`.
struct Offender {
  SeriesKind kind = SeriesKind::measure;
  std::string name, source;  // templates
  uint64_t series = 0;       // how many; of folded ones an estimate
  SeriesName example;
};

/// One series, or a sample of several.
struct WeightedSeries {
  SeriesName series;
  double weight = 1;
};

/// A label with its numbers, UUIDs, hexadecimal and long pieces as `*`. Pieces lie between `.`, `/`, `:`, `-`
/// and `_`.
std::string label_template(std::string_view label);

/// The `most` templates with the most series, greatest first. Where ten or more templates differ in one piece
/// alone, that is `*` too.
std::vector<Offender> top_offenders(std::span<const WeightedSeries> series, size_t most);

}  // namespace tailrace
