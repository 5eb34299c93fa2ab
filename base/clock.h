#pragma once
// Two clocks, never mixed: wall time stamps records and texts, monotonic time measures deadlines.
// What decides by time takes `now` as an argument, so that tests run without waiting.

#include <chrono>
#include <cstdint>

namespace tailrace {

using Micros = int64_t;  // wall clock, microseconds since the Unix epoch, UTC
using Mono = std::chrono::steady_clock::time_point;

inline Micros wall_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

inline Mono mono_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace tailrace
