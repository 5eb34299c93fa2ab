#pragma once
// Appends groups to one segment.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"

namespace tailrace {

/// Belongs to the writer thread. Made on a prepared segment, ends when the segment is full, failed or the
/// process stops; sealing is another's work.
///
/// Invariants: (1) bytes before synced_end() never change and are on disk; (2) no entry lies at or behind
/// `capacity`; (3) after a failed write or sync every further call fails: the segment is given up at
/// synced_end().
class SegmentWriter {
 public:
  SegmentWriter(File file, const SegmentHeader& header, const BeginText& begin);

  /// Bytes that entries may still take.
  uint64_t room() const { return failed_ ? 0 : header_.capacity - end_; }

  /// Begins a group of `entries` that take `bytes` together, which fit into room(). Then all of them, then
  /// sync().
  void begin_group(uint64_t group, uint64_t mark, uint32_t entries, uint64_t bytes);
  /// The offset at which it will lie. Full pieces of 1 MiB go to the file at once, and their writeback
  /// begins.
  uint64_t add_record(uint32_t channel, uint64_t ordinal, Position number, Record record);
  uint64_t add_post(const PostVerdict& post);
  /// Ends the group: what is left is written, and all of it synced. Nothing of it may be shown before.
  Result<void> sync();

  uint64_t synced_end() const { return synced_; }
  const SegmentHeader& header() const { return header_; }
  /// For the one who seals it; the writer is done.
  File release() { return std::move(file_); }

 private:
  void put(uint64_t bytes);
  void flush();

  File file_;
  const SegmentHeader header_;
  std::vector<std::byte> staged_;  // 1 MiB and an entry
  uint64_t written_ = kEntriesAt, end_ = kEntriesAt, synced_ = kEntriesAt;
  bool failed_ = false;
  error_code error_;
};

}  // namespace tailrace
