#pragma once
// The families of users' series, of dynos, and of hosts.

#include <span>
#include <string_view>

#include "metrics/exposition.h"
#include "metrics/series/series_snapshot.h"

namespace tailrace {

/// One channel's series under its id; both live as long as the call.
struct ChannelSeries {
  std::string_view channel;
  const SeriesSnapshot* series = nullptr;
};

/// Every family, the channels of each in the order given. Needs no memory of its own.
void write_series_families(ExpositionWriter& out, std::span<const ChannelSeries> channels);

}  // namespace tailrace
