#include "channels/disk/segment_index.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <map>
#include <random>

#include "tests/disk/segment_fixture.h"

using namespace tailrace;

namespace {

/// A sealed segment with three channels, two of them in several runs, and a post.
SegmentFixture& sealed_fixture(SegmentFixture& f) {
  REQUIRE(f.write({{7, 100, make_slice(5000, {"a", "b"})}, {300'000, 0, make_slice(1, {"c"})}}));
  REQUIRE(f.write({{7, 102, make_slice(5002, {"d"})}, {7, 103, make_slice(6000, {"e"})}},
                  {{{9}, kTestTime, 4, "truncated=1"}, {{8}, kTestTime, 5, ""}}));
  REQUIRE(f.write({{7, 50, make_slice(4000, {"copy"})}, {2, 5, make_slice(9, {"f"})}}));
  REQUIRE(f.seal().has_value());
  return f;
}

std::vector<ChannelLine> lines(const StoredIndex& index) {
  std::vector<ChannelLine> all;
  REQUIRE(index.for_each([&](const ChannelLine& line) { all.push_back(line); }).has_value());
  return all;
}

}  // namespace

TEST_CASE("segment_index: whole ordinals from their low bits") {
  CHECK(whole_ordinal(5, 0) == 5);
  CHECK(whole_ordinal(0xfffffff0, 0) == 0xfffffff0);
  CHECK(whole_ordinal(5, 0xfffffff0) == 0x100000005);
  CHECK(whole_ordinal(0xfffffff0, 0x100000005) == 0xfffffff0);
  CHECK(whole_ordinal(5, 0x700000005) == 0x700000005);
  CHECK(whole_ordinal(4, 0x700000005) == 0x700000004);
  CHECK(whole_ordinal(0x80000000, 1) == 0x80000000);
}

TEST_CASE("segment_index: a sealed segment says what lies where") {
  SegmentFixture f;
  sealed_fixture(f);
  const File file = f.open();
  const auto index = StoredIndex::open(file, kTestSalts);
  REQUIRE(index.has_value());
  CHECK(index->end().index_at == f.writer.synced_end());
  CHECK(index->end().records == 7);
  CHECK(index->end().last_group == 3);
  CHECK(index->end().newest == kTestTime);
  CHECK(index->end().mark == 1 << 30);
  CHECK(index->entries() == 9);

  const auto all = lines(*index);
  REQUIRE(all.size() == 3);
  CHECK(all[0].channel == 2);
  CHECK(all[1].channel == 7);
  CHECK(all[2].channel == 300'000);
  const ChannelLine line = index->channel(7).value();
  CHECK(line.records == 5);
  CHECK(line.lowest_number == 4000);
  CHECK(line.highest_number == 6000);
  CHECK(line.lowest_ordinal == 50);
  CHECK(line.highest_ordinal == 103);
  CHECK(line.newest == kTestTime);
  CHECK(index->channel(300'000).value().records == 1);
  for (const uint32_t absent : {0u, 3u, 8u, 299'999u, 300'001u})
    CHECK(index->channel(absent).value().records == 0);

  // Runs lead to the records, in the order of the ordinals.
  std::vector<std::string> read;
  uint64_t bytes = 0;
  const std::vector<Run> runs = index->runs(line).value();
  for (const Run& run : runs) {
    SegmentScanner scanner(file, kTestSalts, run.offset, run.offset + run.bytes);
    uint64_t ordinal = run.ordinal;
    while (const StoredEntry* e = scanner.next()) {
      CHECK(e->prefix.ordinal == ordinal++);
      read.emplace_back(e->record.message());
    }
    CHECK(ordinal == run.end_ordinal());
    bytes += run.bytes;
  }
  CHECK(read == std::vector<std::string>{"copy", "a", "b", "d", "e"});
  CHECK(bytes == line.bytes);
  CHECK(runs == f.index.runs(7));
  CHECK(runs.size() == 4);  // the copy; a b; d; e, whose number leaps

  const auto posts = index->posts().value();
  REQUIRE(posts.size() == 2);
  CHECK(posts == f.index.posts());
  CHECK(posts[0].key[0] == 9);
  CHECK(posts[0].accepted == 4);
  CHECK(posts[1].rejected_at == 0);
  SegmentScanner at_post(file, kTestSalts, uint64_t{posts[0].rejected_at} * 8, index->end().index_at);
  CHECK(read_post(*at_post.next())->rejected == "truncated=1");
}

TEST_CASE("segment_index: any flipped bit of index or end is found, and the scan says the same (D7)") {
  SegmentFixture f;
  sealed_fixture(f);
  const auto expected = index_bytes(f.index);
  auto bytes = file_bytes(f.path());
  SegmentFile copy;
  copy.with(bytes);
  for (uint64_t bit = f.writer.synced_end() * 8; bit < bytes.size() * 8; ++bit) {
    const std::byte flipped = bytes[bit / 8] ^ std::byte(1 << bit % 8);
    const File& file = copy.set(bit / 8, flipped);
    REQUIRE(StoredIndex::open(file, kTestSalts).has_error());
    if (bit % 8 == 0) {
      const ScannedSegment s = scan_segment(file, kTestSalts, bytes.size(), nothing_known);
      REQUIRE(index_bytes(s.index) == expected);
      REQUIRE(s.last_group_end == f.writer.synced_end());
    }
    copy.set(bit / 8, bytes[bit / 8]);
  }
  CHECK(StoredIndex::open(copy.set(0, bytes[0]), kTestSalts).has_value());
}

TEST_CASE(
    "segment_index: a crash anywhere while sealing leaves a segment that is scanned, and sealed again") {
  SegmentFixture f;
  sealed_fixture(f);
  const auto whole = file_bytes(f.path());
  const uint64_t end = f.writer.synced_end();
  SegmentFile copy;
  for (uint64_t size = end; size < whole.size(); size += 1 + size % 3) {
    const File& file = copy.with(std::span(whole).first(size));
    REQUIRE(StoredIndex::open(file, kTestSalts).has_error());
    const ScannedSegment s = scan_segment(file, kTestSalts, size, nothing_known);
    REQUIRE(index_bytes(s.index) == index_bytes(f.index));
    REQUIRE(s.entries_end == end);
    REQUIRE(s.last_group_end == end);
    File again = File::open_to_write(file.path()).value();
    REQUIRE(seal_segment(again, f.header, s.entries_end, s.index, s.end_text(), kTestTime).has_value());
    REQUIRE(file_bytes(file.path()) == whole);
  }
}

TEST_CASE("segment_index: each failure of the disk while sealing is told") {
  SegmentFixture f;
  REQUIRE(f.write({{7, 0, make_slice(1, {"a"})}}, {{{1}, kTestTime, 1, ""}}));
  for (const auto kind : {IoStep::Kind::truncate, IoStep::Kind::write, IoStep::Kind::sync}) {
    const ScopedHook hook([&](const IoStep& step, size_t&) { return step.kind == kind ? EIO : 0; });
    const auto done = f.seal();
    REQUIRE(done.has_error());
    CHECK(done.error().value() == EIO);
  }
  REQUIRE(f.seal().has_value());
  const File file = f.open();
  const auto index = StoredIndex::open(file, kTestSalts);
  REQUIRE(index.has_value());
  const ScopedHook hook(
      [&](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::read ? EIO : 0; });
  CHECK(StoredIndex::open(file, kTestSalts).error().value() == EIO);
  CHECK(index->channel(7).error().value() == EIO);
  CHECK(index->posts().error().value() == EIO);
}

TEST_CASE("segment_index: of a foreign segment, of none, of an empty one") {
  SegmentFixture f;
  REQUIRE(f.seal().has_value());  // nothing was written
  const File file = f.open();
  const auto index = StoredIndex::open(file, kTestSalts);
  REQUIRE(index.has_value());
  CHECK(index->entries() == 0);
  CHECK(lines(*index).empty());
  CHECK(index->channel(0).value().records == 0);
  CHECK(StoredIndex::open(file, {1, 2}).error() == make_error_code(DiskErrc::damaged));
  SegmentFile small;
  for (const size_t size : {0, 87, 8191, 8192, 8280, 9000})
    CHECK(StoredIndex::open(small.with(std::vector<std::byte>(size)), kTestSalts).has_error());
}

TEST_CASE("segment_index: however records are portioned, the index is the scan's") {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return uint64_t(random()) % n; };
    SegmentFixture f;
    struct End {
      uint64_t ordinal, number;
    };
    std::map<uint32_t, End> ends;
    std::map<uint32_t, uint64_t> started;
    for (uint32_t c = 0; c < 5; ++c) ends[c * 1000] = {uint64_t(c) * 0xfffffff0u, 1000 * c + 1};
    for (const auto& [c, e] : ends) started[c] = e.ordinal;
    for (int group = 0; group < 20; ++group) {
      std::vector<Piece> pieces;
      for (uint64_t n = 1 + below(4); n > 0; --n) {
        const auto channel = uint32_t(below(5) * 1000);
        End& end = ends[channel];
        if (below(4) == 0) end.number += below(100);
        const std::vector<std::string> texts(1 + below(5), std::string(below(200), 't'));
        const bool copy = below(6) == 0 && end.ordinal >= 500;
        const uint64_t back = copy ? 400 : 0;
        pieces.push_back({channel, end.ordinal - back, make_slice(end.number, texts)});
        end.number += texts.size();
        if (!copy) end.ordinal += texts.size();
      }
      std::vector<PostVerdict> posts;
      if (below(3) == 0) posts.push_back({{uint8_t(group)}, kTestTime, 1, below(2) ? "no_token=1" : ""});
      REQUIRE(f.write(pieces, posts));
    }
    const File file = f.open();
    const auto about = [&](uint32_t channel) { return started.at(channel); };
    const ScannedSegment s = scan_segment(file, kTestSalts, f.header.capacity, about);
    REQUIRE(index_bytes(s.index) == index_bytes(f.index));
    REQUIRE(f.seal().has_value());
    const auto index = StoredIndex::open(file, kTestSalts);
    REQUIRE(index.has_value());
    f.index.for_each([&](const ChannelLine& line) {
      const ChannelLine stored = index->channel(line.channel).value();
      CHECK(stored.records == line.records);
      CHECK(stored.lowest_ordinal == line.lowest_ordinal);
      CHECK(index->runs(stored).value() == f.index.runs(line.channel));
    });
  }
}

TEST_CASE("segment_index: bigger than a window, with many channels") {
  SegmentFixture f(1, {}, 64 << 20);
  std::vector<Piece> pieces;
  for (uint32_t c = 0; c < 20'000; ++c) pieces.push_back({c * 3, c, make_slice(c + 1, {"x"})});
  REQUIRE(f.write(pieces));
  REQUIRE(f.seal().has_value());
  const File file = f.open();
  const auto index = StoredIndex::open(file, kTestSalts);
  REQUIRE(index.has_value());
  CHECK(lines(*index).size() == 20'000);
  for (const uint32_t c : {0u, 1u, 9'999u, 19'999u}) {
    const ChannelLine line = index->channel(c * 3).value();
    CHECK(line.records == 1);
    CHECK(line.lowest_ordinal == c);
    CHECK(index->channel(c * 3 + 1).value().records == 0);
  }
  CHECK(scan(file).entries.size() == 20'002);
  CHECK(scan(file).ended == index->end().index_at);
}
