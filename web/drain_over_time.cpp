#include "web/drain_over_time.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "web/drain_health.h"

namespace tailrace {
namespace {

using nlohmann::json;
using Steps = std::map<Micros, DrainPoint>;

void add(Steps& steps, const std::vector<DrainPoint>& points, Micros length, const TimeQuery& query) {
  if (query.step % length) return;
  for (const DrainPoint& point : points) {
    const Micros step = point.time - point.time % query.step;
    if (step < query.from || step >= query.to) continue;
    DrainPoint& into = steps[step];
    into.time = step;
    into.merge(point);
  }
}

json seconds_or_null(const AnswerBuckets& took, double q) {
  return took.answers() ? json(took.quantile(q)) : json(nullptr);
}

json point_json(const DrainPoint& point) {
  return {{"time", rfc3339_json(point.time)},
          {"state", to_string(point.state)},
          {"delivered", point.delivered},
          {"filtered", point.filtered},
          {"dropped", dropped_json(point.dropped)},
          {"buffered", point.buffered},
          {"lag_seconds", double(point.lag / 1000) / 1e3},
          {"answers", point.took.answers()},
          {"p50", seconds_or_null(point.took, 0.5)},
          {"p99", seconds_or_null(point.took, 0.99)}};
}

}  // namespace

json drain_past_json(const DrainPast& past, const TimeQuery& query) {
  Steps steps;
  add(steps, past.tens, DrainPast::kTen, query);
  add(steps, past.minutes, DrainPast::kMinute, query);
  json points = json::array();
  for (const auto& [time, point] : steps) points.push_back(point_json(point));
  const bool tens_too = query.step % DrainPast::kTen == 0;
  const Micros whole_from = tens_too ? past.whole_from_tens : past.whole_from_minutes;
  return {{"from", rfc3339_json(query.from)},
          {"to", rfc3339_json(query.to)},
          {"step", query.step / 1'000'000},
          {"whole_from", rfc3339_json(whole_from)},
          {"points", std::move(points)}};
}

}  // namespace tailrace
