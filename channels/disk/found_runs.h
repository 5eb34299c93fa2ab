#pragma once
// Where each record of a channel lies, of those that may lie there twice.

#include <cstdint>
#include <vector>

namespace tailrace {

/// Entries of one channel side by side in a segment, with numbers and ordinals that rise by one; of them
/// those from `number` on are meant.
struct FoundRun {
  uint64_t number = 0, ordinal = 0;
  uint64_t offset = 0;   // of the whole run
  uint32_t bytes = 0;    // of the whole run
  uint32_t records = 0;  // that are meant
  uint32_t segment = 0;  // rises with the segments' numbers

  uint64_t end_number() const { return number + records; }
  uint64_t end_ordinal() const { return ordinal + records; }
};

/// Sorts by number and cuts, so that no number is in two runs: a copy in a newer segment is the one that
/// counts (disk-format section 4). Work by n log n.
void merge_runs(std::vector<FoundRun>& runs);

}  // namespace tailrace
