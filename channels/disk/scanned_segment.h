#pragma once
// What one scan says of a whole segment.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "channels/disk/segment_index.h"
#include "channels/disk/segment_scanner.h"

namespace tailrace {

/// All 64 bits of an ordinal whose low ones are `low`: the nearest to `about`.
uint64_t whole_ordinal(uint32_t low, uint64_t about);

/// For a segment without a usable index, for `inspect`, and for tests. Memory: by runs, not by records.
struct ScannedSegment {
  std::optional<BeginText> begin;
  IndexBuilder index;                 // as the sealed segment's would be
  uint64_t entries_end = kEntriesAt;  // behind the last valid entry
  uint64_t groups = 0, last_group = 0, mark = 0, highest_number = 0;

  // The last group that has a valid entry: where that is, where the group ends as it says, and how many of
  // its entries are not there. 0 if no group entry is valid.
  uint64_t last_group_at = 0, last_group_end = 0;
  uint32_t last_group_missing = 0;

  // What is no entry and not zeros up to the end. Behind last_group_end: nobody's (an index that was not
  // finished).
  std::vector<Stretch> stretches;
  error_code error;  // a read failed; what lies behind was not seen

  EndText end_text() const { return {0, 0, last_group, 0, mark}; }
};

/// Up to `end`, where what is void or the index begins. `about`: an ordinal near those of a channel's
/// records; 0 if nothing is known.
ScannedSegment scan_segment(const File& file, const Salts& salts, uint64_t end,
                            const std::function<uint64_t(uint32_t channel)>& about);

/// What an index says of a post, and what was rejected, as its entry says; nothing was, if that is damaged.
PostVerdict read_verdict(const File& file, const Salts& salts, const PostLine& line);

}  // namespace tailrace
