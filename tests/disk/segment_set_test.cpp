#include "channels/disk/segment_set.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <random>

#include "tests/disk/data_dir.h"

using namespace tailrace;

TEST_CASE("segment_set: a channel is read across segments, in order, each record once (D8)") {
  DataDir dir;
  for (int segment = 0; segment < 4; ++segment) {
    dir.begin();
    for (int group = 0; group < 3; ++group) REQUIRE(dir.group({{7, {"a", "b"}}, {9, {"x"}}, {7, {"c"}}}));
    if (segment < 3) dir.seal();
  }
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  for (const size_t most : {1, 2, 100}) CHECK(read_all(started, most) == dir.expected);
  CHECK(started.segments.find(8, 0, 10).value().empty());
  CHECK(started.segments.find(7, 36, 10).value().empty());
  const auto from = started.segments.find(7, 20, 1).value();
  REQUIRE(from.size() == 1);
  CHECK(from[0].from == 20);
  CHECK(from[0].segment->header.segment == 3);
}

TEST_CASE("segment_set: of a record in two segments the newer copy is read") {
  DataDir dir;
  dir.begin();
  REQUIRE(dir.group({{7, {"a", "b", "c", "d", "e"}}}));
  dir.seal();
  dir.begin();
  REQUIRE(dir.group({{7, {"f"}}}));
  REQUIRE(dir.write({{7, 1, make_slice(1, {"B", "C"})}, {7, 4, make_slice(4, {"E"})}}));
  dir.seal();
  dir.begin();
  REQUIRE(dir.write({{7, 2, make_slice(2, {"CC"})}}));
  const Started started(dir);
  const std::vector<Known> expected{{0, 0, "a"}, {1, 1, "B"}, {2, 2, "CC"},
                                    {3, 3, "d"}, {4, 4, "E"}, {5, 5, "f"}};
  for (const size_t most : {1, 2, 3, 4, 5, 100}) {
    const auto read = read_channel(started.segments, 7, most);
    CHECK_MESSAGE(read == expected, to_text(read));
  }
  // The old one goes: the copies hold what they hold.
  const SegmentPtr oldest = started.segments.oldest();
  const_cast<SegmentSet&>(started.segments).remove(*oldest);
  CHECK(started.segments.generation() == 1);
  CHECK(to_text(read_channel(started.segments, 7)) == "1:1:B 2:2:CC 4:4:E 5:5:f ");
}

TEST_CASE("segment_set: any pattern of copies") {
  for (uint32_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return uint64_t(random()) % n; };
    DataDir dir;
    std::map<uint64_t, std::string> newest;
    for (int segment = 0; segment < 4; ++segment) {
      dir.begin();
      std::vector<Piece> pieces;
      std::map<uint64_t, bool> here;  // a segment holds a record once
      for (uint64_t n = 1 + below(5); n > 0; --n) {
        const uint64_t at = below(40), count = 1 + below(12);
        bool fresh = true;
        for (uint64_t i = at; i < at + count; ++i) fresh = fresh && !here[i];
        if (!fresh) continue;
        std::vector<std::string> texts;
        for (uint64_t i = at; i < at + count; ++i) {
          here[i] = true;
          texts.push_back("s" + std::to_string(segment));
          newest[i] = texts.back();
        }
        pieces.push_back({7, at, make_slice(1000 + at, texts)});
      }
      REQUIRE(dir.write(pieces));
      if (below(3) > 0) dir.seal();
    }
    std::vector<Known> expected;
    for (const auto& [ordinal, text] : newest) expected.push_back({ordinal, 1000 + ordinal, text});
    const Started started(dir);
    for (const size_t most : {1, 2, 5, 100}) {
      const auto read = read_channel(started.segments, 7, most);
      REQUIRE_MESSAGE(read == expected, to_text(read));
    }
    for (uint64_t position = 990; position < 1060; ++position) {
      const auto behind = newest.lower_bound(position < 1000 ? 0 : position - 1000 + 1);
      const uint64_t right = behind == newest.end() ? newest.rbegin()->first + 1 : behind->first;
      REQUIRE(started.segments.ordinal_behind(7, {position}).value() == right);
    }
  }
}

TEST_CASE("segment_set: behind a position, where numbers leap and an entry is damaged") {
  DataDir dir;
  dir.begin();
  REQUIRE(dir.group({{7, {"a", "b"}}}));
  dir.ends[7].second = 100;
  REQUIRE(dir.group({{7, {"c", "d", "e"}}}));
  dir.ends[7].second = 200;
  dir.seal();
  dir.begin();
  REQUIRE(dir.group({{7, {"f"}}}));
  const auto behind = [&](uint64_t position) {
    return Started(dir).segments.ordinal_behind(7, {position}).value();
  };
  const auto all_right = [&] {
    CHECK(behind(0) == 1);
    CHECK(behind(1) == 2);
    CHECK(behind(99) == 2);
    CHECK(behind(100) == 3);
    CHECK(behind(102) == 5);
    CHECK(behind(199) == 5);
    CHECK(behind(200) == 6);
    CHECK(behind(5000) == 6);
  };
  all_right();
  const Started before(dir);
  const auto extents = before.segments.find(7, 2, 1).value();
  File file = File::open_to_write(dir.path(1)).value();
  const std::byte junk[3]{};
  REQUIRE(file.write(extents[0].run.offset + 57, junk).has_value());
  all_right();  // by the run's second entry
}

TEST_CASE("segment_set: the head grows, is sealed and goes while readers hold it") {
  DataDir dir;
  dir.begin();
  SegmentSet set;
  auto head = std::make_shared<Segment>();
  head->header = dir.header(1);
  head->file = File::open_to_read(dir.path(1)).value();
  head->growing = std::make_unique<IndexBuilder>();
  head->bytes = 1 << 20;
  set.add(head);
  CHECK(set.find(7, 0, 10).value().empty());
  CHECK(set.bytes() == 1 << 20);

  const Slice slice = make_slice(50, {"a", "b"});
  dir.head().begin_group({1, 1, 2, uint32_t(kGroupBytes + slice.bytes() + 48)}, kTestTime);
  Growth growth{{dir.head().add_records(7, 0, slice)}, {}, 2, 0, 1, 1};
  REQUIRE(dir.head().sync().has_value());
  CHECK(set.find(7, 0, 10).value().empty());  // nothing is shown before it is told
  growth.end = dir.head().synced_end();
  set.grew(*head, growth);
  CHECK(to_text(read_channel(set, 7)) == "0:50:a 1:51:b ");
  CHECK(head->newest == kTestTime);
  const auto held = set.find(7, 0, 10).value();

  File file = File::open_to_write(dir.path(1)).value();
  REQUIRE(seal_segment(file, head->header, head->entries_end, *head->growing, {}, kTestTime).has_value());
  set.sealed(*head, StoredIndex::open(head->file, head->header.salts).value(), file.size().value());
  CHECK(set.bytes() == file.size().value());
  CHECK(to_text(read_channel(set, 7)) == "0:50:a 1:51:b ");

  set.remove(*head);
  REQUIRE(unlink_file(dir.path(1)).has_value());
  CHECK(set.find(7, 0, 10).value().empty());
  CHECK(set.oldest() == nullptr);
  SegmentScanner scanner(held[0].segment->file, dir.header(1).salts, held[0].run.offset,
                         held[0].run.offset + held[0].run.bytes);
  CHECK(scanner.next()->record.message() == "a");
}

TEST_CASE("segment_set: an index that cannot be read any more costs a scan and no record (D7)") {
  DataDir dir;
  for (int segment = 0; segment < 3; ++segment) {
    dir.begin();
    for (int group = 0; group < 3; ++group) REQUIRE(dir.group({{7, {"a", "b"}}, {9, {"x"}}, {7, {"c"}}}));
    dir.seal();
  }
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  const SegmentPtr bad = started.segments.all()[1];
  const uint64_t index_at = bad->index->end().index_at;
  int refused = 0;
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    const bool hit =
        step.kind == IoStep::Kind::read && step.path == bad->file.path() && step.offset >= index_at;
    refused += hit;
    return hit ? EIO : 0;
  });
  CHECK(read_all(started) == dir.expected);
  CHECK(refused == 1);
  CHECK(started.segments.ordinal_behind(7, {5}).value() == 6);
}
