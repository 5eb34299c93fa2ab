#pragma once
// l2met's pairs: `measure#db.latency=4ms count#jobs=1 sample#queue=7 source=web.1`, and `measure.db=4ms` of
// old.
//
// The rules of pairs, quotes and tokens stand in pair_walk.h; those of values in docs/metrics.md.

#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/series/series.h"

namespace tailrace {

struct SamplePair {
  SeriesKind kind;  // measure, count or sample
  std::string_view name;
  double value;
  std::string_view unit;  // normalised, as SeriesKey has it
  bool operator==(const SamplePair&) const = default;
};

/// One line's pairs, in order; kept by a thread and used again, so that nothing is allocated per line.
struct SampleLine {
  std::string_view source;  // empty: none
  std::vector<SamplePair> pairs;
  uint32_t empty = 0, not_a_number = 0, negative = 0;  // pairs that are absent, why

  bool operator==(const SampleLine&) const = default;
};

/// Whether scan_sample_line() could find anything; false for nearly every line, at a few ns per 100 bytes.
bool may_have_samples(std::string_view message);

/// `message` is the MSG of a record; any bytes, any length. Views are into it, or last for ever.
void scan_sample_line(std::string_view message, SampleLine& line);
/// The same byte by byte: the slow twin.
void scan_sample_line_portably(std::string_view message, SampleLine& line);

}  // namespace tailrace
