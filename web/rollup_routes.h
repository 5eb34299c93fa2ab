#pragma once
// GET /v3/channels/:c/metrics: a channel's series over time.

#include <optional>
#include <string>

#include "metrics/rollup/rollup_query.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// What the query of a request asks for: time_query()'s fields, `name`, `source`. None: `error` says what is
/// wrong, for people, and begins with the field.
std::optional<RollupQuery> rollup_query(const HttpRequest& request, Micros now, std::string& error);

void add_rollup_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
