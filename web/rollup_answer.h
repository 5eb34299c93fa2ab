#pragma once
// A channel's metrics over time as JSON and CSV.

#include <string>

#include "metrics/rollup/rollup_query.h"

namespace tailrace {

/// One line per series, so that many points are read by people too.
std::string rollup_json(const RollupQuery& query, const RollupSteps& steps,
                        const RollupStore::Answer& answer);

/// RFC 4180, with a header line; one line per point.
std::string rollup_csv(const RollupSteps& steps);

}  // namespace tailrace
