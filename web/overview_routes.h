#pragma once
// GET /v3/overview: a row per channel, worst first.

#include <optional>
#include <string>

#include "net/http.h"
#include "web/overview.h"
#include "web/services.h"

namespace tailrace {

/// What the query of a request asks for. None: `error` says what is wrong, for people, and begins with the
/// field.
std::optional<OverviewQuery> overview_query(const HttpRequest& request, std::string& error);

/// `gate`: of who may read something; each sees what he may read.
void add_overview_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
