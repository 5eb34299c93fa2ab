#pragma once
// Channels, tokens and drains over HTTP: Logplex's v1 and v2 routes with its JSON shapes.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `gate` guards each of them.
void add_channel_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
