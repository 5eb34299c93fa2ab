#pragma once
// The store's own families of /metrics.

#include "channels/log.h"
#include "metrics/exposition.h"

namespace tailrace {

/// Nothing if the store is in memory alone.
void write_store_families(ExpositionWriter& out, const StoreStatus& store);

}  // namespace tailrace
