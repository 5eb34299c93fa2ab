#pragma once
// What the process counts of itself, kept by prometheus-cpp: what came in, what was turned away, who reads
// along.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "metrics/exposition.h"

namespace tailrace {

enum class Protocol : uint8_t { http, tcp, udp, tls };
inline constexpr size_t kProtocols = 4;
std::string_view protocol_name(Protocol protocol);

/// Thread-safe. Call it per read or request, not per record: an addition is 10 to 30 ns, a rejection takes a
/// lock.
class OwnCounters {
 public:
  OwnCounters();

  /// tailrace_ingest_records_total and tailrace_ingest_bytes_total.
  void accepted(Protocol protocol, uint64_t records, uint64_t bytes);

  /// tailrace_ingest_rejected_total. `reason` is one of the program's own words (`truncated`, `too_long`,
  /// `unknown_token`, `malformed`, `quota` …), never a sender's: each makes a series.
  void rejected(Protocol protocol, std::string_view reason, uint64_t records = 1);

  void tail_opened() { tail_sessions_.Increment(); }
  void tail_closed() { tail_sessions_.Decrement(); }
  void tail_skipped(uint64_t records) { tail_skipped_.Increment(static_cast<double>(records)); }

  /// For further families of the process; they stand in the same scrape.
  prometheus::Registry& registry() { return registry_; }

  void write(ExpositionWriter& out) const;

 private:
  prometheus::Registry registry_;
  std::array<prometheus::Counter*, kProtocols> records_{}, bytes_{};
  prometheus::Family<prometheus::Counter>& rejected_;
  prometheus::Gauge& tail_sessions_;
  prometheus::Counter& tail_skipped_;

  std::mutex mutex_;  // of rejected_by_
  std::array<std::map<std::string, prometheus::Counter*, std::less<>>, kProtocols> rejected_by_;
};

/// Writes counters and gauges, families by name and series by labels; other types are not in use.
void write_registry(ExpositionWriter& out, const prometheus::Registry& registry);

}  // namespace tailrace
