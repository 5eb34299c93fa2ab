#pragma once
// Segments made as the store makes them: prepared, written in groups, sealed.

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "channels/chunk.h"
#include "channels/disk/scanned_segment.h"
#include "channels/disk/segment_writer.h"
#include "tests/disk/scoped_hook.h"
#include "tests/disk/segment_bytes.h"

namespace tailrace {

/// Records with these messages in a chunk of their own.
inline Slice make_slice(uint64_t first_number, const std::vector<std::string>& messages,
                        Micros arrival = kTestTime) {
  std::vector<MemoryEntry> entries;
  uint32_t bytes = 0;
  for (const std::string& m : messages) bytes += uint32_t(entries.emplace_back(m, arrival).record().stride());
  Slice slice{Chunk::make(bytes, {first_number}), 0, bytes, uint32_t(messages.size()), {first_number}};
  REQUIRE(bytes <= slice.chunk->capacity);
  for (const MemoryEntry& e : entries) {
    std::memcpy(slice.chunk->data() + slice.chunk->end, &e.record().header(), e.record().stride());
    slice.chunk->end += uint32_t(e.record().stride());
    ++slice.chunk->count;
  }
  return slice;
}

struct Piece {
  uint32_t channel;
  uint64_t ordinal;
  Slice slice;
};

/// One segment, its writer, and the index that grows with it.
struct SegmentFixture {
  explicit SegmentFixture(uint64_t segment = 1, BeginText begin = {0, 1 << 30, 0, {}},
                          uint64_t capacity = 4 << 20)
      : header{segment, {1, 2, 3}, kTestSalts, kTestTime, capacity},
        writer(prepare_segment(dir.path(), header).value(), header, begin, kTestTime) {}

  std::string path() const { return dir / segment_name(header.segment); }
  File open() const { return File::open_to_read(path()).value(); }

  /// One group of these, and of posts behind them; whether it was synced.
  bool write(const std::vector<Piece>& pieces, const std::vector<PostVerdict>& posts = {}) {
    GroupText text{++group, 1 << 30, uint32_t(posts.size()), kGroupBytes};
    for (const Piece& p : pieces) {
      text.entries += p.slice.records;
      text.bytes += p.slice.bytes() + uint32_t(sizeof(EntryPrefix)) * p.slice.records;
    }
    for (const PostVerdict& p : posts) text.bytes += uint32_t(post_bytes(p));
    writer.begin_group(text, kTestTime);
    std::vector<AddedRun> added;
    for (const Piece& p : pieces) added.push_back(writer.add_records(p.channel, p.ordinal, p.slice));
    std::vector<uint64_t> post_at;
    for (const PostVerdict& p : posts) post_at.push_back(writer.add_post(p));
    if (!writer.sync()) return false;
    for (const AddedRun& a : added) index.add(a);
    for (size_t i = 0; i < posts.size(); ++i) index.add(posts[i], post_at[i]);
    return true;
  }

  Result<void> seal() {
    File file = File::open_to_write(path()).value();
    return seal_segment(file, header, writer.synced_end(), index, {0, 0, group, 0, 1 << 30}, kTestTime);
  }

  TempDir dir;
  const SegmentHeader header;
  SegmentWriter writer;
  IndexBuilder index;
  uint64_t group = 0;
};

inline uint64_t nothing_known(uint32_t) {
  return 0;
}

/// The bytes of the index entry, as it would lie at 8192.
inline std::vector<std::byte> index_bytes(const IndexBuilder& index) {
  std::vector<std::byte> bytes;
  index.write(kTestSalts, kEntriesAt, kTestTime, bytes).value();
  return bytes;
}

inline std::vector<std::byte> file_bytes(const std::string& path) {
  const File file = File::open_to_read(path).value();
  std::vector<std::byte> bytes(file.size().value());
  CHECK(file.read(0, bytes).value() == bytes.size());
  return bytes;
}

}  // namespace tailrace
