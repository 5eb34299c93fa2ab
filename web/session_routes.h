#pragma once
// Sessions: how a reader gets a URL, and what is behind it.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `POST /v2/sessions` and its like; each asks who may read the channel of its body. `gate` guards each.
void add_session_api(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

/// `GET /sessions/:id`: whoever has the URL may read.
void add_session_reading(HttpRoutes& routes, WebServices& services);

}  // namespace tailrace
