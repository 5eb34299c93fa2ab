#pragma once
// Walks every valid entry of a segment, whatever lies between them.

#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"

namespace tailrace {

/// Bytes that are no valid entry.
struct Stretch {
  uint64_t begin = 0, end = 0;
  bool zeros = false;
};

/// Reads one segment from front to back (disk-format section 4). For recovery, the cleaner and `inspect`.
/// One thread; `file` outlives it. Memory: a window of twice the largest entry it is asked to read.
///
///   while (const auto entry = scanner.next()) …
///
/// Invariants: (1) each byte between begin and end belongs to exactly one entry or stretch; (2) every entry
/// is valid at its offset; (3) it ends, after work in proportion to the bytes.
class SegmentScanner {
 public:
  SegmentScanner(const File& file, const Salts& salts, uint64_t begin, uint64_t end);

  /// The next valid entry, which lives until the next call; null at the end. What was skipped before it
  /// stands in stretch().
  const StoredEntry* next();
  /// Skipped before the entry that next() gave, or, at the end, before that; empty if nothing was.
  const Stretch& stretch() const { return stretch_; }
  /// A read that failed ends the scan like the end of the file.
  error_code error() const { return error_; }

 private:
  const StoredEntry* resync(uint64_t offset);
  std::span<const std::byte> window(uint64_t offset, uint64_t bytes);

  const File& file_;
  const Salts salts_;
  uint64_t at_, end_;
  uint64_t window_at_ = 0;
  std::vector<std::byte> window_;
  std::optional<StoredEntry> entry_;
  Stretch stretch_;
  error_code error_;
};

/// The same over bytes in memory, by the definition, one offset after the other: the twin in tests and
/// fuzzing.
std::vector<StoredEntry> scan_slowly(std::span<const std::byte> segment, const Salts& salts);

}  // namespace tailrace
