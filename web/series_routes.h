#pragma once
// Which series a channel has, and what uses its budget up.

#include "metrics/series/series_tables.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// Of the channel with that Channel::index. `after`: the `next` of the answer whose list this one goes on
/// with, or empty.
HttpResponse series_answer(const SeriesTables& tables, uint32_t channel, std::string_view after);

/// `GET /v3/channels/:c/series`, guarded by `gate`.
void add_series_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
