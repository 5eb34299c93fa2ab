#pragma once
// Rollups with a data dir: rollups.db (docs/disk-format.md, section 5).

#include <functional>
#include <memory>
#include <string>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

/// `dir` is the data dir, whose lock is held. A file that cannot be used is set aside, told in the log, and
/// made anew: the records that it counted are read from the log again, as far as they are kept. One that
/// cannot be made now (the disk is full) is made when something is stored. `bytes`: of the file, about.
std::unique_ptr<RollupStore> disk_rollups(const std::string& dir, uint64_t bytes,
                                          RollupClocks clocks = RollupClocks());

}  // namespace tailrace
