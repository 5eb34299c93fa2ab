#include "metrics/own_counters.h"

#include <algorithm>
#include <vector>

namespace tailrace {

OwnCounters::OwnCounters()
    : tail_sessions_(prometheus::BuildGauge()
                         .Name("tailrace_tail_sessions")
                         .Help("Readers that follow a channel now.")
                         .Register(registry_)
                         .Add({})),
      tail_skipped_(prometheus::BuildCounter()
                        .Name("tailrace_tail_skipped_records_total")
                        .Help("Records that readers were too slow for.")
                        .Register(registry_)
                        .Add({})) {}

void OwnCounters::write(ExpositionWriter& out) const {
  write_registry(out, registry_);
}

void write_registry(ExpositionWriter& out, const prometheus::Registry& registry) {
  std::vector<prometheus::MetricFamily> families = registry.Collect();
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::vector<Label> labels;
  for (auto& family : families) {
    const bool counter = family.type == prometheus::MetricType::Counter;
    if (!counter && family.type != prometheus::MetricType::Gauge) continue;
    out.family(family.name, counter ? FamilyType::counter : FamilyType::gauge, family.help);
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& a, const auto& b) { return a.label < b.label; });
    for (const auto& metric : family.metric) {
      labels.clear();
      for (const auto& label : metric.label) labels.push_back({label.name, label.value});
      out.sample({}, labels, counter ? metric.counter.value : metric.gauge.value);
    }
  }
}

}  // namespace tailrace
