#pragma once
// A sink's past as a picture: an SVG on its own, for light and dark, without script.

#include <string>
#include <string_view>

#include "cli/sink_account.h"
#include "cli/sink_timeline.h"

namespace tailrace {

/// Three panels over one time axis: received per second, missing and repeated so far, lag; stretches of bad
/// behaviour are shaded and named. The rate is drawn on a logarithmic scale where a burst would flatten the
/// rest.
std::string sink_plot(const SinkTimeline& past, const SinkCounts& counts, std::string_view title);

}  // namespace tailrace
