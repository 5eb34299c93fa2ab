#pragma once
// tailrace_build_info and process_*, the names that every Prometheus client uses.

#include "metrics/exposition.h"

namespace tailrace {

/// Reads /proc/self; what cannot be read is left out. Takes some system calls: not for an event loop.
void write_process_families(ExpositionWriter& out);

}  // namespace tailrace
