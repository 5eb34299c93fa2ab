#include "web/rollup_routes.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/time_text.h"
#include "metrics/rollup/rollup_keeper.h"
#include "web/accept.h"
#include "web/blocking_routes.h"
#include "web/rollup_answer.h"

namespace tailrace {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kLongestStep = 7 * 24 * 60 * kMinute;
constexpr Micros kMostSteps = 11'000;              // a week of minutes, and more
constexpr size_t kMostPoints = 100'000;            // 20 MB of JSON
constexpr uint64_t kLastSecond = 253'402'300'799;  // of the year 9999

/// Of what is too long to matter, some of it.
Micros micros_of(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds longest = std::chrono::seconds(kLastSecond);
  return std::chrono::duration_cast<std::chrono::microseconds>(std::min(duration, longest)).count();
}

std::optional<Micros> time_of(std::string text, Micros now) {
  if (text == "now") return now;
  if (const auto seconds = parse_u64(text))
    return *seconds <= kLastSecond ? std::optional(static_cast<Micros>(*seconds) * kSecond) : std::nullopt;
  if (const auto ago = parse_duration(text)) return now - micros_of(*ago);
  // A `+` that was not encoded has become a blank.
  if (const size_t blank = text.rfind(' '); blank != text.npos) text[blank] = '+';
  return parse_rfc3339(text);
}

std::optional<Micros> step_of(const std::string& text) {
  std::optional<Micros> step;
  if (const auto seconds = parse_u64(text))
    step = *seconds <= kLastSecond ? static_cast<Micros>(*seconds) * kSecond : 0;
  else if (const auto duration = parse_duration(text))
    step = micros_of(*duration);
  if (!step || *step < kMinute || *step > kLongestStep || *step % kMinute) return std::nullopt;
  return step;
}

std::vector<std::string> list_of(const HttpRequest& request, std::string_view name) {
  std::vector<std::string> all;
  for (const std::string& values : request.queries(name))
    for_each_piece(values, ',', [&](std::string_view value) { all.emplace_back(value); });
  return all;
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
  RollupQuery query;
  const std::string from = request.query("from"), to = request.query("to"), step = request.query("step");
  const auto refuse = [&](std::string why) {
    error = std::move(why);
    return std::nullopt;
  };
  constexpr const char* kTimes = ": RFC 3339, Unix seconds, or a duration back from now such as 2h";
  if (!step.empty()) {
    const auto wanted = step_of(step);
    if (!wanted) return refuse("step: whole minutes up to 7d, such as 60, 10m or 1h");
    query.step = *wanted;
  }
  const auto end = to.empty() ? now : time_of(to, now);
  if (!end || *end < 0) return refuse(std::string("to") + kTimes);
  const auto begin = from.empty() ? *end - 60 * kMinute : time_of(from, now);
  if (!begin || (!from.empty() && *begin < 0)) return refuse(std::string("from") + kTimes);
  if (*begin >= *end) return refuse("from: must be before to");
  query.from = window_of(*begin, query.step).begin;
  query.to = window_of(*end + query.step - 1, query.step).begin;
  if ((query.to - query.from) / query.step > kMostSteps)
    return refuse("step: more than " + std::to_string(kMostSteps) +
                  " steps; take a longer step or a later from");
  query.filter.names = list_of(request, "name");
  query.filter.sources = list_of(request, "source");
  return query;
}

void add_rollup_routes(HttpRoutes& routes, WebServices& services, const HttpGate& gate) {
  BlockingRoutes<RollupRoutes> blocking(routes, std::make_shared<const RollupRoutes>(services),
                                        services.blocking, gate);
  blocking.add("GET", "/v3/channels/:c/metrics", &RollupRoutes::metrics);
}

}  // namespace tailrace
