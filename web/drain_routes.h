#pragma once
// Drains over HTTP: what they are, how they are, and what their owner does with them.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "channels/catalog.h"
#include "net/http.h"
#include "web/access.h"
#include "web/services.h"

namespace tailrace {

/// A drain as the API shows it: its token, and no other secret.
nlohmann::json drain_json(const DrainEntry& drain);

/// `:c` names the channel, `:d` a drain of it by its id or its token. None: there is no such drain.
std::optional<DrainEntry> find_drain(const Catalog& catalog, const HttpRequest& request);

/// Readers of the channel may look, the rest takes full_api.
void add_drain_routes(HttpRoutes& routes, WebServices& services, const ApiGates& gates);

}  // namespace tailrace
