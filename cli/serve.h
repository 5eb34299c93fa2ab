#pragma once
// `tailrace serve`: the router as a process, from its settings to its exit.

#include "cli/settings.h"

namespace tailrace {

/// Runs until SIGTERM or ^C; returns the exit code.
int run_serve(const Settings& settings);

}  // namespace tailrace
