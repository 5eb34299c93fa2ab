#pragma once
// Further credentials over HTTP.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `/v3/credentials` and what is below it, guarded by `gate`.
void add_credential_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
