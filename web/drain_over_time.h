#pragma once
// GET /v3/channels/:c/drains/:d/history: what a drain did over time, as JSON.

#include <nlohmann/json_fwd.hpp>

#include "drains/over_time.h"
#include "web/time_query.h"

namespace tailrace {

/// Points that are longer than a step, or do not divide it, count in none. Steps without a point are left
/// out.
nlohmann::json drain_past_json(const DrainPast& past, const TimeQuery& query);

}  // namespace tailrace
