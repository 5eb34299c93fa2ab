#include "metrics/own_counters.h"

#include <algorithm>
#include <vector>

namespace tailrace {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::http:
      return "http";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::tls:
      return "tls";
  }
  return "";
}

OwnCounters::OwnCounters()
    : rejected_(prometheus::BuildCounter()
                    .Name("tailrace_ingest_rejected_total")
                    .Help("Records turned away, by reason.")
                    .Register(registry_)),
      tail_sessions_(prometheus::BuildGauge()
                         .Name("tailrace_tail_sessions")
                         .Help("Readers that follow a channel now.")
                         .Register(registry_)
                         .Add({})),
      tail_skipped_(prometheus::BuildCounter()
                        .Name("tailrace_tail_skipped_records_total")
                        .Help("Records that readers were too slow for.")
                        .Register(registry_)
                        .Add({})) {
  auto& records = prometheus::BuildCounter()
                      .Name("tailrace_ingest_records_total")
                      .Help("Records accepted, as sent.")
                      .Register(registry_);
  auto& bytes = prometheus::BuildCounter()
                    .Name("tailrace_ingest_bytes_total")
                    .Help("Bytes of the accepted records.")
                    .Register(registry_);
  for (size_t i = 0; i < kProtocols; ++i) {
    const prometheus::Labels labels{{"protocol", std::string(protocol_name(static_cast<Protocol>(i)))}};
    records_[i] = &records.Add(labels);
    bytes_[i] = &bytes.Add(labels);
  }
}

void OwnCounters::accepted(Protocol protocol, uint64_t records, uint64_t bytes) {
  records_[static_cast<size_t>(protocol)]->Increment(static_cast<double>(records));
  bytes_[static_cast<size_t>(protocol)]->Increment(static_cast<double>(bytes));
}

void OwnCounters::rejected(Protocol protocol, std::string_view reason, uint64_t records) {
  const std::lock_guard lock(mutex_);
  auto& by_reason = rejected_by_[static_cast<size_t>(protocol)];
  auto it = by_reason.find(reason);
  if (it == by_reason.end()) {
    auto& counter =
        rejected_.Add({{"protocol", std::string(protocol_name(protocol))}, {"reason", std::string(reason)}});
    it = by_reason.emplace(reason, &counter).first;
  }
  it->second->Increment(static_cast<double>(records));
}

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
