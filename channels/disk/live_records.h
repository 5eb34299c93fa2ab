#pragma once
// Records of one segment that are to be moved elsewhere, as chunks.

#include <cstdint>
#include <optional>
#include <vector>

#include "channels/disk/group_writer.h"
#include "channels/disk/segment_scanner.h"
#include "channels/disk/segment_set.h"

namespace tailrace {

/// What is wanted of a run: the ordinals from `from` to before `until`.
struct Wanted {
  uint32_t channel = 0;
  Run run;
  uint64_t from = 0, until = 0;
};

/// Reads a segment once, from front to back, only where something wanted lies. The cleaner's. Every entry is
/// checked; what is damaged is left out: the gap in the ordinals tells of it.
class LiveRecords {
 public:
  LiveRecords(SegmentPtr segment, std::vector<Wanted> wanted);

  /// About `bytes` of them, with their old numbers and ordinals, each channel's side by side; empty: that was
  /// all.
  std::vector<StoredSlice> next(uint64_t bytes);
  /// The first read that failed; what lay there is left out.
  error_code error() const { return error_; }

 private:
  struct Found {
    const Wanted* wanted;
    uint64_t ordinal;
    const StoredEntry* entry;
  };
  std::optional<Found> find();
  void begin_range();

  SegmentPtr segment_;
  std::vector<Wanted> wanted_;  // by offset
  size_t at_ = 0;               // the wanted run that the scanner is at, or before
  size_t range_end_ = 0;        // behind the last that the scanner will meet
  std::optional<SegmentScanner> scanner_;
  error_code error_;
};

}  // namespace tailrace
