#pragma once
// The families of channels, by the names of docs/ and the contract.

#include <span>

#include "metrics/channel_counts.h"
#include "metrics/exposition.h"

namespace tailrace {

/// Every family of the channels given, one after the other, the channels of each in the order given. For one
/// channel's own scrape as for that of all.
void write_channel_families(ExpositionWriter& out, std::span<const ChannelSnapshot> channels);

}  // namespace tailrace
