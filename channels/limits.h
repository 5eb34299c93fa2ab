#pragma once
// What bounds the logs, as settings name it. Each may change while the process runs.

#include <cstdint>

#include "base/clock.h"

namespace tailrace {

/// How much one log keeps. Records go when the log is over `bytes`, when they are older than `age`, or when
/// neither the history nor a cursor needs them; a cursor that still did has lost them, counted and told.
struct LogLimits {
  uint64_t history = 1500;    // records that readers can ask for
  uint64_t bytes = 8u << 20;  // how far an attached cursor may lag
  Micros age = Micros(7) * 86400 * 1'000'000;
};

/// Of a store: each log's, and of all of them together.
struct StoreLimits {
  LogLimits log;
  uint64_t memory_bytes = 512u << 20;        // TAILRACE_MEMORY_BYTES
  uint64_t disk_bytes = uint64_t{10} << 30;  // TAILRACE_DISK_BYTES; nothing to a store in memory
};

}  // namespace tailrace
