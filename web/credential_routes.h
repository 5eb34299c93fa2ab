#pragma once
// Further credentials over HTTP.

#include <nlohmann/json_fwd.hpp>

#include "channels/credential.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// As the API says them: `["full_api","any_channel","read:7"]`.
nlohmann::json permissions_json(const Permissions& permissions);

/// `/v3/credentials` and what is below it, guarded by `gate`.
void add_credential_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
