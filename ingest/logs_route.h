#pragma once
// `POST /logs`: records over HTTP, as Logplex took them (contract section 3).

#include <memory>
#include <vector>

#include "channels/catalog.h"
#include "ingest/intake.h"
#include "net/http.h"

namespace tailrace {

/// Adds the route to a listener's table. Everything outlives the routes; `intakes` has one per event loop.
///
/// Today's forms: application/logplex-1, not compressed. What else the contract names is answered 415 and
/// says so.
void add_logs_route(HttpRoutes& routes, const Catalog& catalog, std::vector<std::unique_ptr<Intake>>& intakes,
                    IngestStats& stats);

}  // namespace tailrace
