#pragma once
// Channels and tokens over HTTP: Logplex's v3 routes with its JSON shapes, and lists.

#include "net/http.h"
#include "web/access.h"
#include "web/services.h"

namespace tailrace {

/// Readers see their channels, the rest takes full_api.
void add_channel_v3_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates);

}  // namespace tailrace
