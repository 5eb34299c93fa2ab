#pragma once
// Making a session, and reading one.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `POST /v2/sessions`, guarded by `gate`.
void add_session_api(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

/// `GET /sessions/:id`: the id is the credential.
void add_session_reading(HttpRoutes& routes, WebServices& services);

}  // namespace tailrace
