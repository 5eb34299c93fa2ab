#pragma once
// Walks every valid entry of a segment, whatever lies between them.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"

namespace tailrace {

/// Bytes that are no valid entry.
struct Stretch {
  uint64_t begin = 0, end = 0;
  bool zeros = true;
  bool empty() const { return begin == end; }
  bool operator==(const Stretch&) const = default;
};

/// Reads one segment from front to back (disk-format section 4). For recovery, the cleaner and `inspect`.
/// One thread; `file` outlives it. Memory: a window of 256 KiB.
///
///   while (const StoredEntry* entry = scanner.next()) …
///
/// Invariants: (1) each byte between begin and where it ended belongs to exactly one entry or stretch; (2)
/// every entry is valid at its offset; (3) it ends, after work in proportion to the bytes.
class SegmentScanner {
 public:
  /// Both are multiples of 8 or the end of the file, at which it ends at the latest.
  SegmentScanner(const File& file, const Salts& salts, uint64_t begin, uint64_t end);

  /// The next valid entry, which lives until the next call; null at the end, or where the segment's index
  /// begins: behind that lies no record. What was skipped before it stands in stretch().
  const StoredEntry* next();
  /// Skipped before the entry that next() gave, or, at the end, before that; empty if nothing was.
  const Stretch& stretch() const { return stretch_; }
  /// Behind the entry given last; at the end, where that is.
  uint64_t at() const { return at_; }
  /// A read that failed ends the scan like the end of the file.
  error_code error() const { return error_; }

 private:
  bool entry_here();
  void skip();
  bool fill(uint64_t bytes);
  std::span<const std::byte> ahead() const {
    return std::span(window_).subspan(at_ - window_at_, window_end_ - at_);
  }

  const File& file_;
  const Salts salts_;
  uint64_t at_, end_;
  uint64_t window_at_, window_end_;  // offsets of what the window holds; at_ is between them
  std::vector<std::byte> window_;
  std::optional<StoredEntry> entry_;
  Stretch stretch_;
  error_code error_;
};

}  // namespace tailrace
