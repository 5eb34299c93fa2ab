#pragma once
// Ingest's own counters, for /metrics.

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>
#include <vector>

#include "base/log.h"
#include "ingest/reason.h"

namespace tailrace {

/// Of one protocol; a plain value.
struct IngestCounts {
  Protocol protocol = Protocol::http;
  uint64_t accepted = 0, bytes = 0;  // records as sent, and their bytes
  Rejections rejected;
};

/// Thread-safe; add to it once per batch, not per record. The registry outlives it.
class IngestStats {
 public:
  explicit IngestStats(prometheus::Registry& registry);

  void accepted(Protocol protocol, uint64_t records, uint64_t bytes);
  /// Tells of unknown tokens in the process's log, too: nobody else is there to be told.
  void rejected(Protocol protocol, const Rejections& rejections);
  /// A POST whose Logplex-Msg-Count is not what it held: the sender miscounts, or something on the way loses.
  void count_mismatch() { count_mismatches_->Increment(); }
  /// A POST that had been judged before, and its records.
  void repeated(uint64_t records) {
    repeated_requests_->Increment();
    repeated_records_->Increment(double(records));
  }
  /// What was counted since the start, by protocol.
  std::vector<IngestCounts> counts() const;
  /// Of Repeats.
  prometheus::Counter& forgotten_repeats() { return *forgotten_repeats_; }

 private:
  OncePerSecond unknown_token_;
  prometheus::Counter* forgotten_repeats_;
  std::array<prometheus::Counter*, kProtocols.size()> records_, bytes_;
  prometheus::Counter *count_mismatches_, *repeated_requests_, *repeated_records_;
  std::array<std::array<prometheus::Counter*, kRejectReasons.size()>, kProtocols.size()> rejected_;
};

}  // namespace tailrace
