#pragma once
// Rollups without a data dir: encoded, in memory.

#include <functional>
#include <memory>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

/// `bytes`: what all channels' windows may take, about.
std::unique_ptr<RollupStore> memory_rollups(uint64_t bytes, RollupClocks clocks = RollupClocks());

}  // namespace tailrace
