#pragma once
// Whether a data dir can be used, found out without changing or making it.

#include "cli/findings.h"
#include "cli/settings.h"

namespace tailrace {

/// There or makeable, writable, ours, of a version that is known, nobody else's now, on a file system with
/// room for TAILRACE_DISK_BYTES.
void check_data_dir(const Settings& settings, Findings& out);

}  // namespace tailrace
