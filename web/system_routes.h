#pragma once
// GET /v3/system: threads, memory, disk, the whole ledger.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `gate`: of who may use the whole API. `services.system` is there when the first request comes.
void add_system_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
