#include "web/overview_routes.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time_text.h"
#include "web/access.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/drain_health.h"
#include "web/overview_maker.h"

namespace tailrace {
namespace {

using nlohmann::json;

json number_or_null(double value) {
  return std::isnan(value) ? json(nullptr) : json(value);
}

json time_or_null(Micros time) {
  return time ? json(rfc3339_json(time)) : json(nullptr);
}

json drains_json(const DrainsByState& drains) {
  json counts = json::object();
  for (size_t state = 0; state < drains.size(); ++state)
    counts[to_string(static_cast<DrainState>(state))] = drains[state];
  return counts;
}

json row_json(const OverviewRow& row, const OverviewMaker::Details& details) {
  json troubles = json::array(), dynos = json::array();
  for (const Trouble trouble : row.troubles) troubles.push_back(kTroubles[static_cast<size_t>(trouble)]);
  for (const DynoTime& dyno : details.slow_dynos) dynos.push_back({{"dyno", dyno.dyno}, {"p95", dyno.p95}});
  const auto share = row.error_share();
  return {{"channel", row.id},
          {"name", row.name},
          {"troubles", troubles},
          {"records_per_second", row.recent.records_per_second},
          {"requests_per_second", row.recent.requests_per_second},
          {"p50", number_or_null(row.recent.p50)},
          {"p95", number_or_null(row.recent.p95)},
          {"p99", number_or_null(row.recent.p99)},
          {"error_share", share ? json(*share) : json(nullptr)},
          {"slow_since", time_or_null(details.slow_since.value_or(0))},
          {"errors_since", time_or_null(details.errors_since.value_or(0))},
          {"slow_dynos", dynos},
          {"drains", drains_json(row.drains)},
          {"failing_since", time_or_null(row.failing_since)},
          {"lag_records", row.lag_records},
          {"lag_seconds", row.lag_seconds},
          {"dropped", dropped_json(row.dropped)},
          {"lost_at", time_or_null(row.lost_at)}};
}

/// The answers, on a thread that may block.
class OverviewRoutes {
 public:
  explicit OverviewRoutes(WebServices& services)
      : access_(services.access), maker_(std::make_unique<OverviewMaker>(services)) {}

  HttpResponse overview(const HttpRequest& request) const {
    std::string error;
    const auto query = overview_query(request, error);
    if (!query) return http_error(422, error);
    const auto permissions = permissions_of(access_, request);
    if (!permissions) return may_not_read();  // it went while the request waited
    const std::shared_ptr<const Overview> made = maker_->latest();
    const Overview::Page page = made->page(*query, *permissions);
    json channels = json::array();
    for (const OverviewRow* row : page.rows)
      channels.push_back(row_json(*row, maker_->details(*row, made->now())));
    return json_response(200, {{"now", rfc3339_json(made->now())},
                               {"total", page.total},
                               {"matching", page.matching},
                               {"records_per_second", page.records_per_second},
                               {"drains", drains_json(page.drains)},
                               {"channels", channels}});
  }

 private:
  const Access& access_;
  const std::unique_ptr<OverviewMaker> maker_;
};

}  // namespace

std::optional<OverviewQuery> overview_query(const HttpRequest& request, std::string& error) {
  constexpr uint64_t kMostLimit = 200, kMostOffset = 1'000'000'000;
  OverviewQuery query;
  query.search = request.query("search");
  if (const std::string sort = request.query("sort"); !sort.empty()) {
    const auto* const found = std::ranges::find(kOverviewSorts, sort);
    if (found == kOverviewSorts.end()) {
      error = "sort: worst, name, rate, p95, errors, lag or loss";
      return std::nullopt;
    }
    query.sort = static_cast<OverviewSort>(found - kOverviewSorts.begin());
  }
  if (const std::string limit = request.query("limit"); !limit.empty()) {
    const auto number = parse_u64(limit);
    if (!number || *number < 1 || *number > kMostLimit) {
      error = "limit: takes a number from 1 to 200";
      return std::nullopt;
    }
    query.limit = *number;
  }
  if (const std::string offset = request.query("offset"); !offset.empty()) {
    const auto number = parse_u64(offset);
    if (!number || *number > kMostOffset) {
      error = "offset: takes a number from 0 to 1000000000";
      return std::nullopt;
    }
    query.offset = *number;
  }
  return query;
}

void add_overview_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<OverviewRoutes>(routes, std::make_shared<const OverviewRoutes>(services), services.blocking,
                                 gate)
      .add("GET", "/v3/overview", &OverviewRoutes::overview);
}

}  // namespace tailrace
