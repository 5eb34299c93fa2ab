#pragma once
// What the process counts of itself, kept by prometheus-cpp: who reads along, and what other parts add.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cstdint>

#include "metrics/exposition.h"

namespace tailrace {

/// Thread-safe. Count per read or request, not per record: an addition is 10 to 30 ns.
class OwnCounters {
 public:
  OwnCounters();

  void tail_opened() { tail_sessions_.Increment(); }
  void tail_closed() { tail_sessions_.Decrement(); }
  void tail_skipped(uint64_t records) { tail_skipped_.Increment(static_cast<double>(records)); }

  struct Tails {
    uint64_t open = 0, skipped = 0;  // readers that follow now; records that readers were too slow for
  };
  Tails tails() const {
    return {static_cast<uint64_t>(tail_sessions_.Value()), static_cast<uint64_t>(tail_skipped_.Value())};
  }

  /// For further families of the process; they stand in the same scrape.
  prometheus::Registry& registry() { return registry_; }

  void write(ExpositionWriter& out) const;

 private:
  prometheus::Registry registry_;
  prometheus::Gauge& tail_sessions_;
  prometheus::Counter& tail_skipped_;
};

/// Writes counters and gauges, families by name and series by labels; other types are not in use.
void write_registry(ExpositionWriter& out, const prometheus::Registry& registry);

}  // namespace tailrace
