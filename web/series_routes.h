#pragma once
// Which series a channel has, and what uses its budget up.

#include "metrics/series/series_tables.h"
#include "net/http.h"
#include "web/paging.h"
#include "web/services.h"

namespace tailrace {

/// Of the channel with that Channel::index. `page.after`: the `next` of an answer.
HttpResponse series_answer(const SeriesTables& tables, uint32_t channel, const Page& page);

/// `GET /v3/channels/:c/series`, guarded by `gate`.
void add_series_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
