#pragma once
// What only the owner of all parts can say of them, for the system page.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ingest/stats.h"

namespace tailrace {

/// Something that grows with the load, and its bound.
struct MemoryPart {
  std::string_view name;
  uint64_t used = 0, bound = 0;
  std::string_view unit = "bytes";
};

/// A plain value of one moment.
struct SystemFacts {
  std::string commit;  // empty: unknown
  Micros started_at = 0;
  uint64_t memory_bound = 0;
  std::vector<MemoryPart> memory;
  std::string data_dir;  // empty: none
  uint64_t disk_bound = 0;
  uint64_t syslog_connections = 0;
  std::vector<IngestCounts> ingest;
};

}  // namespace tailrace
