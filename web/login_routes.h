#pragma once
// Signing in: who has a credential gets a cookie for it, so that a page need not keep the password.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `/v3/login`, and `GET /login` for browsers that ask for Basic themselves. For anyone, in every state of
/// the API.
void add_login_routes(HttpRoutes& routes, WebServices& services);

}  // namespace tailrace
