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

std::optional<std::vector<Figure>> figures_of(const HttpRequest& request) {
  std::vector<Figure> figures;
  for (const std::string& name : list_of(request, "show")) {
    const auto figure = parse_figure(name);
    if (!figure) return std::nullopt;
    if (std::ranges::find(figures, *figure) == figures.end()) figures.push_back(*figure);
  }
  return figures;
}

std::string title_of(const Channel& channel, const RollupQuery& query) {
  std::string title = channel.name().empty() ? "channel " + channel.id : channel.name();
  for (const std::string& name : query.filter.names)
    title += (&name == &query.filter.names.front() ? ": " : ", ") + name;
  return title;
}

HttpResponse chart_response(const RollupAsk& ask, const RollupSteps& steps, Micros now) {
  std::string error;
  auto svg = metrics_chart(ask.query, steps, {ask.title, ask.show, now}, error);
  if (!svg) return http_error(422, error);
  HttpResponse response{200, "image/svg+xml", std::move(*svg), {}};
  response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

/// The answers, on a thread that may block.
class RollupRoutes {
 public:
  explicit RollupRoutes(WebServices& services) : services_(services) {}

  HttpResponse metrics(const HttpRequest& request) const {
    const ChannelPtr channel = services_.catalog.channel(request.param("c"));
    if (!channel) return http_error(404, "Not Found");
    const Micros now = wall_now();
    std::string error;
    const auto query = rollup_query(request, now, error);
    if (!query) return http_error(422, error);
    const auto form = rollup_form(request);
    if (!form) return http_error(422, kRollupForms);
    const auto show = figures_of(request);
    if (!show) return http_error(422, std::string("show: takes ") + kFigures);
    return rollup_response(services_, *channel, {*query, *form, title_of(*channel, *query), *show}, now);
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

std::optional<RollupForm> rollup_form(const HttpRequest& request) {
  const std::string format = request.query("format");
  if (format == "csv") return RollupForm::csv;
  if (format == "json") return RollupForm::json;
  if (format == "svg") return RollupForm::svg;
  if (!format.empty()) return std::nullopt;
  return accepted_form<RollupForm>(request, {{"text/csv", RollupForm::csv},
                                             {"application/json", RollupForm::json},
                                             {"image/svg+xml", RollupForm::svg}})
      .value_or(RollupForm::json);
}

HttpResponse rollup_response(const WebServices& services, const Channel& channel, const RollupAsk& ask,
                             Micros now) {
  const RollupQuery& query = ask.query;
  auto answer = services.rollups.read(channel.index, query.from, query.to, query.filter);
  if (!answer) return http_error(503, "the stored metrics could not be read");
  const RollupSteps steps = steps_of(*answer, query);
  if (steps.points > kMostPoints)
    return http_error(422, "step: more than " + std::to_string(kMostPoints) +
                               " points; take a longer step, a shorter stretch, or name= and source=");
  if (!ask.events) answer->marks.clear();
  if (ask.form == RollupForm::svg) return chart_response(ask, steps, now);
  if (ask.form == RollupForm::json) return {200, "application/json", rollup_json(query, steps, *answer), {}};
  // What has no place in CSV.
  HttpFields fields;
  fields.add("Tailrace-Late", std::to_string(answer->late));
  fields.add("Tailrace-Whole-From", rfc3339_json(steps.whole_from));
  return {200, "text/csv; charset=utf-8; header=present", rollup_csv(steps), std::move(fields)};
}

void add_rollup_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<RollupRoutes> blocking(routes, std::make_shared<const RollupRoutes>(services),
                                        services.blocking, gate);
  blocking.add("GET", "/v3/channels/:c/metrics", &RollupRoutes::metrics);
}

}  // namespace tailrace
