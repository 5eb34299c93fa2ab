#include "web/rollup_routes.h"

#include <algorithm>

#include "base/text.h"
#include "base/time_text.h"
#include "metrics/rollup/rollup_keeper.h"
#include "web/accept.h"
#include "web/blocking_routes.h"
#include "web/rollup_answer.h"
#include "web/time_query.h"

namespace tailrace {
namespace {

constexpr size_t kMostPoints = 100'000;  // 20 MB of JSON

std::vector<std::string> list_of(const HttpRequest& request, std::string_view name) {
  std::vector<std::string> all;
  for (const std::string& values : request.queries(name))
    for_each_piece(values, ',', [&](std::string_view value) { all.emplace_back(value); });
  return all;
}

/// `source=` names the series without one.
std::vector<std::string> sources_of(const HttpRequest& request) {
  std::vector<std::string> sources = list_of(request, "source");
  if (std::ranges::count(request.queries("source"), std::string()) > 0) sources.emplace_back();
  return sources;
}

enum class Form : uint8_t { json, csv };

/// `format` over Accept, of which the first type that is one of the two decides.
std::optional<Form> form_of(const HttpRequest& request) {
  const std::string format = request.query("format");
  if (format == "csv") return Form::csv;
  if (format == "json") return Form::json;
  if (!format.empty()) return std::nullopt;
  return accepted_form<Form>(request, {{"text/csv", Form::csv}, {"application/json", Form::json}})
      .value_or(Form::json);
}

/// The answers, on a thread that may block.
class RollupRoutes {
 public:
  explicit RollupRoutes(WebServices& services) : services_(services) {}

  HttpResponse metrics(const HttpRequest& request) const {
    const ChannelPtr channel = services_.catalog.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    std::string error;
    const auto query = rollup_query(request, wall_now(), error);
    if (!query) return http_error(422, error);
    const auto form = form_of(request);
    if (!form) return http_error(422, "format: json or csv");
    auto answer = services_.rollups.read(channel->index, query->from, query->to, query->filter);
    if (!answer) return http_error(503, "the stored metrics could not be read");
    const RollupSteps steps = steps_of(*answer, *query);
    if (steps.points > kMostPoints)
      return http_error(422, "step: more than " + std::to_string(kMostPoints) +
                                 " points; take a longer step, a shorter stretch, or name= and source=");
    if (*form == Form::json) return {200, "application/json", rollup_json(*query, steps, *answer), {}};
    // What has no place in CSV.
    HttpFields fields;
    fields.add("Tailrace-Late", std::to_string(answer->late));
    fields.add("Tailrace-Whole-From", rfc3339_json(steps.whole_from));
    return {200, "text/csv; charset=utf-8; header=present", rollup_csv(steps), std::move(fields)};
  }

 private:
  WebServices& services_;
};

}  // namespace

std::optional<RollupQuery> rollup_query(const HttpRequest& request, Micros now, std::string& error) {
  const auto time = time_query(time_texts(request), now, error);
  if (!time) return std::nullopt;
  return RollupQuery{time->from, time->to, time->step, {list_of(request, "name"), sources_of(request)}};
}

void add_rollup_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<RollupRoutes> blocking(routes, std::make_shared<const RollupRoutes>(services),
                                        services.blocking, gate);
  blocking.add("GET", "/v3/channels/:c/metrics", &RollupRoutes::metrics);
}

}  // namespace tailrace
