#include "metrics/rollup/rollup_query.h"

#include <algorithm>

namespace tailrace {
namespace {

bool is_among(const std::vector<std::string>& wanted, const std::string& text) {
  return wanted.empty() || std::ranges::find(wanted, text) != wanted.end();
}

}  // namespace

RollupSteps steps_of(RollupStore::Answer& answer, const RollupQuery& query) {
  RollupSteps steps;
  for (auto& [span, cells] : answer.windows) {
    if (query.step % span.length != 0) continue;
    const Micros step = window_of(span.begin, query.step).begin;
    if (step < query.from || step >= query.to) continue;
    for (auto& [name, cell] : cells) {
      if (!is_among(query.names, name.name) || !is_among(query.sources, name.source)) continue;
      const auto [point, fresh] = steps.series[name].try_emplace(step);
      if (fresh) {
        point->second = std::move(cell);
        ++steps.points;
      } else {
        point->second.merge(cell);
      }
    }
  }
  for (size_t kind = 0; kind < kWindowKinds; ++kind)
    if (query.step % kWindowLengths[kind] == 0) steps.whole_from = answer.whole_from[kind];
  const Micros into = steps.whole_from % query.step;
  if (into > 0) steps.whole_from += query.step - into;
  return steps;
}

}  // namespace tailrace
