#pragma once
// Where closed and half-filled windows go: memory or a file.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/lines/platform_event.h"
#include "metrics/rollup/open_windows.h"

namespace tailrace {

using SeriesCells = std::map<SeriesName, Cell>;
inline void merge_into(SeriesCells& ours, const SeriesCells& theirs) {
  for (const auto& [name, cell] : theirs) ours[name].merge(cell);
}

/// Of one channel at most, the newest.
inline constexpr size_t kMostMarks = 1000;

/// What the shards of one channel counted since the last time, with series by name.
struct RollupDelta {
  std::map<WindowSpan, SeriesCells> windows;
  Covered covered;
  std::vector<PlatformMark> marks;
  uint64_t records = 0;    // that are covered; holes that close without one are not
  uint64_t late = 0;       // lines
  WholeFrom whole_from{};  // something from before is missing

  bool empty() const {
    return windows.empty() && covered.ranges().empty() && !records && marks.empty() && !late &&
           whole_from == WholeFrom();
  }
  /// What a shard gave; `name` says which series an id is.
  void add(OpenWindows::Taken taken, const std::function<SeriesName(SeriesId)>& name);
  void merge(RollupDelta other);
};

/// Which series somebody asks for. Exact; empty: any.
struct SeriesFilter {
  std::vector<std::string> names, sources;
  bool wants(const SeriesName& series) const {
    return is_among(names, series.name) && is_among(sources, series.source);
  }

 private:
  static bool is_among(const std::vector<std::string>& wanted, const std::string& text) {
    return wanted.empty() || std::ranges::find(wanted, text) != wanted.end();
  }
};

/// By Channel::index.
using RollupBatch = std::map<uint32_t, RollupDelta>;

/// What time it is, and what has passed.
struct RollupClocks {
  std::function<Micros()> now = wall_now;
  std::function<Mono()> steady = mono_now;
};

/// Thread-safe; may block on a disk: never called on an event loop.
class RollupStore {
 public:
  virtual ~RollupStore() = default;
  /// Merges all of it, or nothing of it. Windows finer than their time is kept in go into a coarser one;
  /// those older than all that is kept are late.
  virtual Result<void> merge(const RollupBatch& batch) = 0;
  /// Which records of a channel are counted, and how many these are.
  struct Counted {
    Covered covered;
    uint64_t records = 0;
  };
  virtual Result<Counted> counted(uint32_t channel) = 0;
  /// Channels of which there is anything.
  virtual Result<std::vector<uint32_t>> channels() = 0;

  struct Answer {
    std::map<WindowSpan, SeriesCells> windows;  // those that touch [from, to)
    std::vector<PlatformMark> marks;            // within [from, to), in order of time
    uint64_t late = 0;                          // lines, of all time
    /// By kWindowLengths: from here on everything is there in windows of this length or finer ones.
    WholeFrom whole_from{};
  };
  virtual Result<Answer> read(uint32_t channel, Micros from, Micros to, const SeriesFilter& filter = {}) = 0;
  /// Ages windows, drops what is too old or beyond the bound.
  virtual Result<void> compact(Micros now) = 0;
  virtual Result<void> forget(uint32_t channel) = 0;

  virtual uint64_t bytes() const = 0;
  virtual void set_limit(uint64_t bytes) = 0;  // from the next compact() on
};

}  // namespace tailrace
