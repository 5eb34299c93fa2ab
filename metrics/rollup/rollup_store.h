#pragma once
// Where closed and half-filled windows go: memory or a file.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/lines/platform_event.h"
#include "metrics/rollup/open_windows.h"

namespace tailrace {

using SeriesCells = std::map<SeriesName, Cell>;

/// What the shards of one channel counted since the last time, with series by name.
struct RollupDelta {
  std::map<WindowSpan, SeriesCells> windows;
  Covered covered;
  std::vector<PlatformMark> marks;
  uint64_t late = 0;  // lines
};

/// Thread-safe; may block on a disk: never called on an event loop.
class RollupStore {
 public:
  virtual ~RollupStore() = default;
  /// Merges all of it, or nothing of it. `channel` is Channel::index.
  virtual Result<void> merge(uint32_t channel, RollupDelta delta) = 0;
  virtual Result<Covered> covered(uint32_t channel) = 0;
  /// use(WindowSpan, SeriesCells&) for each window of the channel that touches [from, to), in order of time.
  struct Answer {
    std::map<WindowSpan, SeriesCells> windows;
    std::vector<PlatformMark> marks;
    uint64_t late = 0;
    Micros whole_from = 0;  // what is asked for from here on is all there
  };
  virtual Result<Answer> read(uint32_t channel, Micros from, Micros to) = 0;
  /// Ages windows, drops what is too old or beyond the bound.
  virtual void compact(Micros now) = 0;
  virtual void forget(uint32_t channel) = 0;
};

}  // namespace tailrace
