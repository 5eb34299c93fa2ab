#include "web/series_routes.h"

#include <limits>

#include "base/text.h"
#include "base/time_text.h"
#include "web/api_answer.h"
#include "web/blocking_routes.h"
#include "web/json_body.h"

namespace tailrace {
namespace {

using nlohmann::json;

constexpr size_t kOffenders = 20;

json series_json(const SeriesKey& key) {
  return {
      {"kind", series_kind_name(key.kind)}, {"name", key.name}, {"source", key.source}, {"unit", key.unit}};
}

json offender_json(const Offender& offender) {
  return {{"template", offender.name},
          {"source", offender.source},
          {"series", offender.series},
          {"example", offender.example.name},
          {"example_source", offender.example.source},
          {"kind", series_kind_name(offender.kind)}};
}

/// The answers, on a thread that may block.
class SeriesRoutes {
 public:
  SeriesRoutes(const Catalog& catalog, const SeriesTables& tables) : catalog_(catalog), tables_(tables) {}

  HttpResponse show(const HttpRequest& request) const {
    const ChannelPtr channel = catalog_.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    const auto page = page_of(request);
    if (!page) return http_error(422, kPageLimits);
    return series_answer(tables_, channel->index, *page);
  }

 private:
  const Catalog& catalog_;
  const SeriesTables& tables_;
};

}  // namespace

HttpResponse series_answer(const SeriesTables& tables, uint32_t channel, const Page& wanted) {
  const auto first = wanted.after.empty() ? 0 : parse_u64(wanted.after);
  if (!first || *first > std::numeric_limits<SeriesId>::max())
    return http_error(422, "after: takes the next of an answer before");
  SeriesTable::Totals totals;
  totals.limit = tables.limits().channel;
  json top = json::array(), list = json::array(), next = nullptr;
  if (const auto table = tables.find(channel)) {
    totals = table->totals();
    for (const Offender& offender : table->top(kOffenders)) top.push_back(offender_json(offender));
    auto page = table->list(static_cast<SeriesId>(*first), wanted.limit + 1);
    if (page.size() > wanted.limit) {
      page.pop_back();
      next = std::to_string(page.back()->id);
    }
    for (const SeriesPtr& series : page) {
      json& entry = list.emplace_back(series_json(series->key()));
      if (const auto seen = series->seen()) entry["last_seen"] = rfc3339_json(*seen);
    }
  }
  const Budget& process = tables.limits().process;
  return json_response(200, {{"series", totals.series},
                             {"limit", totals.limit},
                             {"rejected", totals.folded},
                             {"process", {{"series", process.used()}, {"limit", process.limit()}}},
                             {"top", top},
                             {"list", list},
                             {"next", next}});
}

void add_series_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<SeriesRoutes>(
      routes, std::make_shared<const SeriesRoutes>(services.catalog, services.metrics.series()),
      services.blocking, gate)
      .add("GET", "/v3/channels/:c/series", &SeriesRoutes::show);
}

}  // namespace tailrace
