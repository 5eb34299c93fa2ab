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
  Store& store;
  std::vector<std::unique_ptr<Intake>>& intakes;  // one per event loop
  IngestStats& stats;
  Quota& quota;
  Repeats& repeats;
  Budget& bodies;  // what bodies in flight may take, inflated ones included
};

/// Adds the route to a listener's table. Bodies are application/logplex-1 (or x-logplex-1), text/plain and
/// application/x-ndjson, as they are or in gzip or zstd. While the store has no room they are refused before
/// they are read. A body is looked up among the last ones, inflated, judged by the quota and then appended in
/// rounds; between rounds, and between slices of inflation, others have their turn.
///
/// The answer waits for the appends and, of a POST with a frame id, for its verdict to be kept. Both are
/// given to the store together, so that they share a sync. Where the records are taken but the verdict could
/// not be kept the answer is a 2xx all the same, and counted: the records are safe, a repeat is known as long
/// as this process lives, and an answer that makes the sender repeat would double them for certain.
void add_logs_route(HttpRoutes& routes, LogsServices& services);

}  // namespace tailrace
