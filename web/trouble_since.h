#pragma once
// Since when a trouble of the overview lasts, as the stored windows tell.

#include <optional>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

/// What is to be read of the store for the two below.
inline constexpr Micros kTroubleReach = 120 * kMinute;
SeriesFilter trouble_series();

/// The beginning of the first of the unbroken windows up to now in which service was slow, or in which
/// requests failed, as the overview judges it (web/overview.h). A window without requests, or with too few to
/// tell, breaks nothing; nor does the one that is running. None: no window tells it.
std::optional<Micros> slow_since(const RollupStore::Answer& answer, Micros now);
std::optional<Micros> errors_since(const RollupStore::Answer& answer, Micros now);

}  // namespace tailrace
