#pragma once
// Where the keeper of rollups gets what was counted: the accumulators' side.

#include <cstdint>
#include <span>
#include <vector>

#include "channels/chunk.h"
#include "metrics/rollup/rollup_store.h"

namespace tailrace {

struct Channel;

/// Thread-safe. Outlives the keeper.
class RollupSource {
 public:
  virtual ~RollupSource() = default;

  /// What its open windows share, and who waits until they take too much.
  virtual OpenRoom& room() = 0;

  /// Channel::index of every channel that may have something to take.
  virtual std::vector<uint32_t> channels_counted() = 0;

  /// Everything that the shards of a channel have counted and nobody took yet: of each shard in one step, so
  /// that values and the positions that cover them come together. Empty: nothing, or no such channel. Once
  /// Metrics::forget() returned it is empty for ever.
  virtual RollupDelta take(uint32_t channel) = 0;

  /// Records of an earlier run of the process, in order: into windows (and marks, and late lines) alone, not
  /// into what counts since the start or by arrival. Covers each slice; the next take() has it. Called on the
  /// keeper's thread, no faster than it takes.
  virtual void replay(const Channel& channel, std::span<const Slice> slices) = 0;
};

}  // namespace tailrace
