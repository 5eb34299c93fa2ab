#pragma once
// `tailrace serve`: the router as a process, from its settings to its exit.

#include <functional>

#include "cli/settings.h"

namespace tailrace {

/// Reads the limits of a process's settings again; see reread_limits.
using RereadLimits = std::function<LimitsOutcome(Settings&)>;

/// Runs until SIGTERM or ^C; returns the exit code. A second signal ends it at once, as that signal does a
/// process that does not know it.
int run_serve(Settings settings, const RereadLimits& reread);

}  // namespace tailrace
