#pragma once
// Whether the router's addresses could be listened on now.

#include "cli/findings.h"
#include "cli/settings.h"

namespace tailrace {

/// Binds each for a moment. In use by another process is a warning: it may be the router that runs. Two
/// settings that want the same one are a problem.
void check_listeners(const Settings& settings, Findings& out);

}  // namespace tailrace
