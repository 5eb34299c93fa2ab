#pragma once
// tailrace_drain_*: what each drain has done and how far behind it is.

#include <span>

#include "drains/drain_set.h"
#include "metrics/exposition.h"

namespace tailrace {

void write_drain_families(ExpositionWriter& out, std::span<const DrainSet::ChannelAccount> channels,
                          Micros now);

}  // namespace tailrace
