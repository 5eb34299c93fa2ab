#pragma once
// `POST /logs`: records over HTTP (contract section 3).

#include <memory>
#include <vector>

#include "base/budget.h"
#include "channels/catalog.h"
#include "ingest/intake.h"
#include "ingest/repeats.h"
#include "net/http.h"

namespace tailrace {

/// What the route works with. Everything outlives the routes and the loops' last turn.
struct LogsServices {
  const Catalog& catalog;
  std::vector<std::unique_ptr<Intake>>& intakes;  // one per event loop
  IngestStats& stats;
  Quota& quota;
  Repeats& repeats;
  Budget& bodies;  // what bodies in flight may take, inflated ones included
};

/// Adds the route to a listener's table. Bodies are application/logplex-1 (or x-logplex-1), text/plain and
/// application/x-ndjson, as they are or in gzip or zstd. A body is looked up among the last ones, inflated,
/// judged by the quota and then appended in rounds; between rounds, and between slices of inflation, others
/// have their turn.
void add_logs_route(HttpRoutes& routes, LogsServices& services);

}  // namespace tailrace
