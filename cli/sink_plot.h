#pragma once
// A sink's past as a picture: an SVG on its own, for light and dark, without script.

#include <string>
#include <string_view>
#include <vector>

#include "cli/sink_account.h"
#include "cli/sink_timeline.h"

namespace tailrace {

/// Three panels over one time axis: received per second, missing and repeated so far, lag; stretches of bad
/// behaviour are shaded and named. The rate is drawn on a logarithmic scale where a burst would flatten the
/// rest.
std::string sink_plot(const SinkTimeline& past, const SinkCounts& counts, std::string_view title);

/// Round values that cover 0 or `least` to `most`, about `wanted` of them, rising, `least_step` or more
/// apart; at least two.
std::vector<double> round_ticks(double least, double most, int wanted, double least_step = 0);

}  // namespace tailrace
