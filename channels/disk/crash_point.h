#pragma once
// Places where a test ends the process, as kill -9 would. In every build, inert unless asked for.

#include <atomic>

namespace tailrace {

namespace crash_point_detail {
extern std::atomic<bool> armed;
void reached(const char* name);
}  // namespace crash_point_detail

/// Reads `TAILRACE_CRASHPOINT`: `name`, or `name:n` for the n-th time. Once, before the first thread; only a
/// process that serves calls it. The names are those of docs/disk-format.md section 7.
void arm_crash_point();

/// Whether one is asked for. The writer then works in small pieces, so that each place is really met.
inline bool crash_point_armed() {
  return crash_point_detail::armed.load(std::memory_order_relaxed);
}

/// `_exit(137)` here if that was asked for; else one relaxed load.
inline void crash_point(const char* name) {
  if (crash_point_armed()) [[unlikely]]
    crash_point_detail::reached(name);
}

}  // namespace tailrace
