#pragma once
// Ingest's own counters, for /metrics.

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>

#include "ingest/reason.h"

namespace tailrace {

/// Thread-safe; add to it once per batch, not per record. The registry outlives it.
class IngestStats {
 public:
  explicit IngestStats(prometheus::Registry& registry);

  void accepted(Protocol protocol, uint64_t records, uint64_t bytes);
  void rejected(Protocol protocol, const Rejections& rejections);
  /// A POST whose Logplex-Msg-Count is not what it held: the sender miscounts, or something on the way loses.
  void count_mismatch() { count_mismatches_->Increment(); }

 private:
  std::array<prometheus::Counter*, kProtocols.size()> records_, bytes_;
  prometheus::Counter* count_mismatches_;
  std::array<std::array<prometheus::Counter*, kRejectReasons.size()>, kProtocols.size()> rejected_;
};

}  // namespace tailrace
