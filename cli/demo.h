#pragma once
// `tailrace demo`: serve on loopback with apps, traffic and drains that go up and down.

#include "cli/settings.h"

namespace tailrace {

struct DemoOptions {
  double rate = 50;  // requests per second of the simulated fleet
};

/// Runs until ^C or SIGTERM, or its time is up; returns the exit code.
int run_demo(const Settings& settings, const DemoOptions& options);

}  // namespace tailrace
