#include "ingest/stats.h"

namespace tailrace {

IngestStats::IngestStats(prometheus::Registry& registry) {
  auto& records = prometheus::BuildCounter()
                      .Name("tailrace_ingest_records_total")
                      .Help("Records accepted, as the sender counts them.")
                      .Register(registry);
  auto& bytes = prometheus::BuildCounter()
                    .Name("tailrace_ingest_bytes_total")
                    .Help("Bytes of the accepted records, as sent, without framing.")
                    .Register(registry);
  auto& rejected = prometheus::BuildCounter()
                       .Name("tailrace_ingest_rejected_total")
                       .Help("Records not accepted, by reason.")
                       .Register(registry);
  count_mismatches_ = &prometheus::BuildCounter()
                           .Name("tailrace_ingest_count_mismatches_total")
                           .Help("Requests whose Logplex-Msg-Count is not the number of their records.")
                           .Register(registry)
                           .Add({});
  repeated_requests_ =
      &prometheus::BuildCounter()
           .Name("tailrace_ingest_duplicate_requests_total")
           .Help("Requests that came again with their frame id, and were answered as the first.")
           .Register(registry)
           .Add({});
  repeated_records_ = &prometheus::BuildCounter()
                           .Name("tailrace_ingest_duplicate_records_total")
                           .Help("Records of these requests; neither accepted nor rejected a second time.")
                           .Register(registry)
                           .Add({});
  forgotten_repeats_ = &prometheus::BuildCounter()
                            .Name("tailrace_ingest_frame_ids_forgotten_total")
                            .Help(
                                "Frame ids forgotten within five minutes for want of room, in memory or, for "
                                "a restart, on disk; "
                                "their repeats are taken twice.")
                            .Register(registry)
                            .Add({});
  for (size_t p = 0; p < kProtocols.size(); ++p) {
    const std::string protocol(kProtocols[p]);
    records_[p] = &records.Add({{"protocol", protocol}});
    bytes_[p] = &bytes.Add({{"protocol", protocol}});
    for (size_t r = 0; r < kRejectReasons.size(); ++r)
      rejected_[p][r] = &rejected.Add({{"protocol", protocol}, {"reason", std::string(kRejectReasons[r])}});
  }
}

void IngestStats::accepted(Protocol protocol, uint64_t records, uint64_t bytes) {
  records_[size_t(protocol)]->Increment(double(records));
  bytes_[size_t(protocol)]->Increment(double(bytes));
}

void IngestStats::rejected(Protocol protocol, const Rejections& rejections) {
  for (size_t r = 0; r < kRejectReasons.size(); ++r)
    if (const uint64_t n = rejections.by_reason[r]) rejected_[size_t(protocol)][r]->Increment(double(n));
  if (rejections.of(RejectReason::unknown_token) > 0 && unknown_token_.due())
    log_warn("records without a usable token were rejected",
             "protocol=" + std::string(kProtocols[size_t(protocol)]));
}

std::vector<IngestCounts> IngestStats::counts() const {
  std::vector<IngestCounts> all;
  for (size_t p = 0; p < kProtocols.size(); ++p) {
    IngestCounts& counts = all.emplace_back();
    counts.protocol = Protocol(p);
    counts.accepted = uint64_t(records_[p]->Value());
    counts.bytes = uint64_t(bytes_[p]->Value());
    for (size_t r = 0; r < kRejectReasons.size(); ++r)
      counts.rejected.by_reason[r] = uint64_t(rejected_[p][r]->Value());
  }
  return all;
}

}  // namespace tailrace
