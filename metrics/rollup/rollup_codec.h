#pragma once
// A window's cells and a channel's state as bytes: what both stores of rollups keep.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/rollup/rollup_store.h"

namespace tailrace {

/// Series are in order, so of each name only what differs from the one before is written: a minute of a
/// router with its eleven series takes a few hundred bytes. Times are relative to the window's begin.
std::string encode_cells(const SeriesCells& cells, const WindowSpan& span);
/// False: damaged, and `cells` is empty. Any bytes.
/// `filter`: the others are left out.
bool decode_cells(std::string_view text, const WindowSpan& span, SeriesCells& cells,
                  const SeriesFilter& filter = {});

/// What is kept of a channel beside its windows.
struct ChannelRollup {
  Covered covered;
  std::vector<PlatformMark> marks;  // in order of time, kMostMarks at most
  uint64_t records = 0;             // counted or given up for good
  uint64_t late = 0;                // lines
  uint64_t bytes = 0;               // of its windows, encoded
  WholeFrom whole_from{};           // something of the channel from before is missing

  bool operator==(const ChannelRollup&) const = default;
};
std::string encode_channel(const ChannelRollup& channel);
/// False: damaged, and `channel` is empty. Any bytes.
bool decode_channel(std::string_view text, ChannelRollup& channel);

}  // namespace tailrace
