#include "metrics/rollup/rollup_query.h"

namespace tailrace {

RollupSteps steps_of(RollupStore::Answer& answer, const RollupQuery& query) {
  RollupSteps steps;
  for (auto& [span, cells] : answer.windows) {
    if (query.step % span.length != 0) continue;
    const Micros step = window_of(span.begin, query.step).begin;
    if (step < query.from || step >= query.to) continue;
    for (auto& [name, cell] : cells) {
      if (!query.filter.wants(name)) continue;
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
