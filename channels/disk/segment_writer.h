#pragma once
// Appends groups to one segment.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "channels/chunk.h"
#include "channels/disk/io.h"
#include "channels/disk/segment_format.h"
#include "channels/disk/segment_index.h"

namespace tailrace {

/// Creates DIR/segments/… : room allocated, header written, file and directory synced.
Result<File> prepare_segment(const std::string& segments_dir, const SegmentHeader& header);

/// Belongs to the writer thread. Made on a prepared segment, ends when the segment is full, failed or the
/// process stops; sealing is another's work.
///
/// Invariants: (1) bytes before synced_end() never change and are on disk; (2) no entry lies at or behind
/// `capacity`; (3) after a failed write or sync every further sync() fails: the segment is given up at
/// synced_end().
class SegmentWriter {
 public:
  /// `begin` goes to the file with the first group.
  SegmentWriter(File file, const SegmentHeader& header, const BeginText& begin, Micros now);

  /// Bytes that a group may still take, its group entry included.
  uint64_t room() const { return failed() ? 0 : header_.capacity - end_; }

  /// Begins a group, which fits into room(). Then all of its entries, then sync().
  void begin_group(const GroupText& group, Micros now);
  /// Full pieces of 1 MiB go to the file at once, and their writeback begins.
  AddedRun add_records(uint32_t channel, uint64_t ordinal, const Slice& slice);
  /// The offset at which it will lie.
  uint64_t add_post(const PostVerdict& post);
  /// Ends the group: what is left is written, and all of it synced. Nothing of it may be shown before.
  /// errors: the disk's, from the first that failed on.
  Result<void> sync();

  bool failed() const { return error_.failed(); }
  /// Behind the last group that was synced; before the first, where entries begin.
  uint64_t synced_end() const { return synced_; }
  const SegmentHeader& header() const { return header_; }

 private:
  std::byte* space();
  void put(std::span<const std::byte> entry);
  void flush();

  File file_;
  const SegmentHeader header_;
  const uint64_t piece_;
  std::unique_ptr<std::byte[]> staged_;  // what lies in the file from written_ to end_
  std::vector<std::byte> control_;       // an entry in the making
  uint64_t written_ = kEntriesAt, end_ = kEntriesAt, synced_ = kEntriesAt;
  error_code error_;
};

/// Cuts `file` to its entries and puts the index and `end` behind them, synced. May be done again after a
/// crash in the middle. errors: the disk's; too_big: it is cut and stays without index.
Result<void> seal_segment(File& file, const SegmentHeader& header, uint64_t entries_end,
                          const IndexBuilder& index, EndText end, Micros now);

}  // namespace tailrace
