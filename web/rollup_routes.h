#pragma once
// GET /v3/channels/:c/metrics: a channel's series over time.

#include <optional>
#include <string>

#include "metrics/rollup/rollup_query.h"
#include "net/http.h"
#include "web/metrics_chart.h"
#include "web/services.h"

namespace tailrace {

enum class RollupForm : uint8_t { json, csv, svg };
/// `format` over Accept, of which the first type that is one of these decides; JSON if none is. None:
/// `format` is something else.
std::optional<RollupForm> rollup_form(const HttpRequest& request);
inline constexpr const char* kRollupForms = "format: json, csv or svg";

/// What the query of a request asks for: time_query()'s fields, `name`, `source`. None: `error` says what is
/// wrong, for people, and begins with the field.
std::optional<RollupQuery> rollup_query(const HttpRequest& request, Micros now, std::string& error);

struct RollupAsk {
  RollupQuery query;
  RollupForm form = RollupForm::json;
  std::string title = {};         // of a chart
  std::vector<Figure> show = {};  // in a chart
  bool events = true;             // of the platform, beside the series
};
/// The answer. May block.
HttpResponse rollup_response(const WebServices& services, const Channel& channel, const RollupAsk& ask,
                             Micros now);

void add_rollup_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate);

}  // namespace tailrace
