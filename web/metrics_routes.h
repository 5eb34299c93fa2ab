#pragma once
// What Prometheus asks: the scrape of the process, of one channel, and where the channels are.

#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// `/metrics`, for anyone who reaches the listener; `/v3/channels/:c/prometheus`, for who may scrape that
/// channel; `/v3/prometheus/targets`, guarded by `gate`.
void add_metrics_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
