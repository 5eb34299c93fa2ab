#pragma once
// POST /v3/channels/:c/links, and GET /links/:link: a query for whoever has its link.

#include <string>

#include "net/http.h"
#include "web/access.h"
#include "web/services.h"

namespace tailrace {

/// `key`: what links are signed with.
void add_link_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates,
                     const std::string& key);

}  // namespace tailrace
