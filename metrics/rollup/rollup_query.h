#pragma once
// What the windows of a store say about steps that somebody asks for.

#include <map>
#include <string>
#include <vector>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

struct RollupQuery {
  Micros from = 0, to = 0;  // multiples of `step`
  Micros step = kMinute;    // a multiple of a minute
  SeriesFilter filter;
};

struct RollupSteps {
  /// By where each step begins. Steps without a value are left out.
  std::map<SeriesName, std::map<Micros, Cell>> series;
  size_t points = 0;
  Micros whole_from = 0;  // steps from here on miss nothing that was kept; a multiple of `step`
};

/// A window that is longer than a step, or does not divide it, counts in none. Takes the cells.
RollupSteps steps_of(RollupStore::Answer& answer, const RollupQuery& query);

}  // namespace tailrace
