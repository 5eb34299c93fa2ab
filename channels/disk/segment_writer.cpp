#include "channels/disk/segment_writer.h"

#include <cstring>

#include "channels/disk/crash_point.h"

namespace tailrace {
namespace {

constexpr uint64_t kPiece = 1 << 20, kCrashTestPiece = 4096;
constexpr uint64_t kLargest = stored_size(kMostRecordText);

}  // namespace

Result<File> prepare_segment(const std::string& segments_dir, const SegmentHeader& header) {
  const std::string path = segments_dir + "/" + segment_name(header.segment);
  auto file = File::create(path);
  if (!file) return file.error();
  const auto fill = [&]() -> Result<void> {
    if (const auto done = file->allocate(header.capacity); !done) return done;
    crash_point("segment.allocated");
    std::vector<std::byte> bytes(kEntriesAt);
    write_header(header, bytes);
    if (const auto done = file->write(0, bytes); !done) return done;
    if (const auto done = file->sync(); !done) return done;
    crash_point("segment.header_synced");
    if (const auto done = sync_dir(segments_dir); !done) return done;
    crash_point("segment.dir_synced");
    return {};
  };
  if (const auto filled = fill(); !filled) {
    (void)unlink_file(path);  // else the next start removes it
    return filled.error();
  }
  return file;
}

SegmentWriter::SegmentWriter(File file, const SegmentHeader& header, const BeginText& begin, Micros now)
    : file_(std::move(file)),
      header_(header),
      piece_(crash_point_armed() ? kCrashTestPiece : kPiece),
      staged_(std::make_unique_for_overwrite<std::byte[]>(piece_ + kLargest)) {
  write_begin(header_.salts, end_, now, begin, control_);
  put(control_);
}

void SegmentWriter::begin_group(const GroupText& group, Micros now) {
  control_.clear();
  write_group(header_.salts, end_, now, group, control_);
  put(control_);
  if (!crash_point_armed() || synced_ != kEntriesAt) return;
  flush();
  crash_point("group.begun");
}

AddedRun SegmentWriter::add_records(uint32_t channel, uint64_t ordinal, const Slice& slice) {
  AddedRun added{channel, {ordinal, end_, slice.records, 0}, slice.first.value, 0};
  Position number = slice.first;
  for (const Record record : slice) {
    std::byte* const out = space();
    end_ += write_record(header_.salts, end_, channel, ordinal++, number, record, out);
    ++number.value;
    added.newest = std::max(added.newest, record.arrival());
  }
  added.run.bytes = uint32_t(end_ - added.run.offset);
  return added;
}

uint64_t SegmentWriter::add_post(const PostVerdict& post) {
  const uint64_t at = end_;
  control_.clear();
  write_post(header_.salts, at, post, control_);
  put(control_);
  return at;
}

Result<void> SegmentWriter::sync() {
  flush();
  crash_point("group.written");
  if (!failed())
    if (const auto done = file_.sync(); !done) error_ = done.error();
  if (failed()) {
    crash_point("group.failed");
    return error_;
  }
  crash_point("group.synced");
  synced_ = end_;
  return {};
}

/// Where an entry of kLargest at most may be laid; a full piece goes to the file before.
std::byte* SegmentWriter::space() {
  if (end_ - written_ >= piece_) {
    flush();
    crash_point("group.partly_written");
  }
  return staged_.get() + (end_ - written_);
}

void SegmentWriter::put(std::span<const std::byte> entry) {
  std::memcpy(space(), entry.data(), entry.size());
  end_ += entry.size();
}

void SegmentWriter::flush() {
  const uint64_t bytes = end_ - written_;
  if (!failed() && bytes > 0) {
    if (const auto done = file_.write(written_, {staged_.get(), bytes}); !done)
      error_ = done.error();
    else
      file_.start_writeback(written_, bytes);
  }
  written_ = end_;
}

Result<void> seal_segment(File& file, const SegmentHeader& header, uint64_t entries_end,
                          const IndexBuilder& index, EndText end, Micros now) {
  if (const auto done = file.truncate(entries_end); !done) return done;
  crash_point("seal.truncated");
  std::vector<std::byte> bytes;
  const auto indexed = index.write(header.salts, entries_end, now, bytes);
  if (!indexed) {
    if (const auto done = file.sync(); !done) return done;
    return indexed;
  }
  end.index_at = entries_end;
  end.records = index.records();
  end.newest = index.newest();
  write_end(header.salts, entries_end + bytes.size(), now, end, bytes);
  if (const auto done = file.write(entries_end, bytes); !done) return done;
  crash_point("seal.written");
  if (const auto done = file.sync(); !done) return done;
  crash_point("seal.synced");
  file.drop_cache();  // the newest records are in memory as they are
  return {};
}

}  // namespace tailrace
