#pragma once
// How the process is: health, and the ledger.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `/healthz` and `/readyz`, for anyone.
void add_probe_routes(HttpRoutes& routes, WebServices& services);

/// `/healthcheck` and `/v3/ledger`, guarded by `gate`, and `/v3/healthcheck` for anyone.
void add_status_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
