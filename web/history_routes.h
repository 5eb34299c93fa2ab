#pragma once
// `GET /v3/channels/:c/logs`: a channel's newest records, in one answer that says how many they are.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `gate` guards it. What it takes is what a session takes (docs/tails.md), as parameters of the query.
void add_history_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
