#include "channels/disk/segment_writer.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "tests/disk/segment_fixture.h"

using namespace tailrace;

using Kind = IoStep::Kind;

TEST_CASE("segment_writer: what it wrote is what a scan finds") {
  SegmentFixture f(3, {2, 1 << 25, 77, {{2, 9000}}});
  REQUIRE(f.write({{7, 100, make_slice(5000, {"a", "b"})}, {8, 0, make_slice(1, {"c"})}}));
  REQUIRE(f.write({{7, 102, make_slice(5002, {"d"})}}, {{{9}, kTestTime, 4, "truncated=1"}}));
  const File file = f.open();
  CHECK(file.size().value() == 4 << 20);

  const TwinScan found = scan(file);
  CHECK(found == scan_slowly(file_bytes(f.path()), kTestSalts.crc, kTestSalts.seal));
  CHECK(messages(found) == std::vector<std::string>{"a", "b", "c", "d"});
  REQUIRE(found.entries.size() == 8);
  CHECK(found.entries[0].ordinal == uint32_t(ControlKind::begin));
  CHECK(found.entries[2].ordinal == 100);
  CHECK(found.entries[3].number == 5001);
  CHECK(found.entries[7].ordinal == uint32_t(ControlKind::post));
  REQUIRE(found.stretches.size() == 1);
  CHECK(found.stretches[0] == TwinStretch{f.writer.synced_end(), 4 << 20, true});

  const ScannedSegment s = scan_segment(file, kTestSalts, 4 << 20, nothing_known);
  CHECK(s.begin->before == 2);
  CHECK(s.begin->entries == 77);
  CHECK(s.begin->voids == std::vector<BeginText::Void>{{2, 9000}});
  CHECK(s.entries_end == f.writer.synced_end());
  CHECK(s.last_group == 2);
  CHECK(s.last_group_end == s.entries_end);
  CHECK(s.last_group_missing == 0);
  CHECK(s.mark == 1 << 30);
  CHECK(s.highest_number == 5002);
  CHECK(s.stretches.empty());
  CHECK(index_bytes(s.index) == index_bytes(f.index));
}

TEST_CASE(
    "segment_writer: nothing is on its way before the sync but whole pieces, and no synced byte is written "
    "again (D4)") {
  SegmentFixture f;
  uint64_t synced = kEntriesAt, written_to = kEntriesAt;
  size_t syncs = 0, writes = 0;
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    if (step.kind == Kind::write) {
      ++writes;
      CHECK(step.offset >= synced);
      CHECK(step.offset == written_to);
      written_to = step.offset + step.bytes.size();
    }
    if (step.kind == Kind::sync) ++syncs, synced = written_to;
    return 0;
  });
  for (uint64_t i = 0; i < 5; ++i) {
    REQUIRE(
        f.write({{7, i * 6, make_slice(1 + i * 6, std::vector<std::string>(6, std::string(9000, 'x')))}}));
    CHECK(synced == f.writer.synced_end());
    CHECK(syncs == i + 1);
    CHECK(writes == i + 1);
  }
  std::vector<Piece> big;
  for (uint64_t i = 0; i < 60; ++i)
    big.push_back({8, i * 6, make_slice(1 + i * 6, std::vector<std::string>(6, std::string(9000, 'x')))});
  REQUIRE(f.write(big));
  CHECK(syncs == 6);
  CHECK(writes == 5 + 4);  // 3.2 MiB
  CHECK(messages(scan(f.open())).size() == 390);
}

TEST_CASE("segment_writer: room is what entries may take") {
  SegmentFixture f(1, {}, kEntriesAt + 4096);
  const uint64_t first = f.writer.room();
  CHECK(first == 4096 - begin_bytes({}));
  const Slice slice = make_slice(1, {"a"});
  const uint64_t each = kGroupBytes + sizeof(EntryPrefix) + slice.bytes();
  uint64_t groups = 0;
  while (f.writer.room() >= each) {
    REQUIRE(f.write({{7, groups, slice}}));
    ++groups;
    CHECK(f.writer.room() == first - groups * each);
  }
  CHECK(groups == first / each);
  CHECK(f.open().size().value() == kEntriesAt + 4096);
}

TEST_CASE("segment_writer: a failed write or sync gives the segment up at its last synced end") {
  for (const Kind failing : {Kind::write, Kind::sync}) {
    SegmentFixture f;
    REQUIRE(f.write({{7, 0, make_slice(1, {"good"})}}));
    const uint64_t end = f.writer.synced_end();
    bool fail = true;
    size_t syncs = 0;
    const ScopedHook hook([&](const IoStep& step, size_t& allowed) {
      syncs += step.kind == Kind::sync;
      if (step.kind == Kind::write) allowed = 100;  // a part of it comes to the file
      return fail && step.kind == failing && step.offset != end ? EIO : 0;
    });
    CHECK_FALSE(f.write({{7, 1, make_slice(2, {"lost"})}}));
    CHECK(f.writer.failed());
    CHECK(f.writer.room() == 0);
    CHECK(f.writer.synced_end() == end);
    fail = false;
    const size_t before = syncs;
    CHECK(f.writer.sync().error().value() == EIO);
    CHECK(syncs == before);  // never again
    CHECK(f.writer.synced_end() == end);

    REQUIRE(f.seal().has_value());
    CHECK(messages(scan(f.open())) == std::vector<std::string>{"good"});
  }
}

TEST_CASE("segment_writer: a prepared segment is whole or not there") {
  const TempDir dir;
  const SegmentHeader header{9, {4}, kTestSalts, kTestTime, 1 << 20};
  for (const Kind failing : {Kind::create, Kind::allocate, Kind::write, Kind::sync, Kind::sync_dir}) {
    const ScopedHook hook([&](const IoStep& step, size_t&) { return step.kind == failing ? ENOSPC : 0; });
    const auto made = prepare_segment(dir.path(), header);
    REQUIRE(made.has_error());
    CHECK(made.error().value() == ENOSPC);
    CHECK(list_dir(dir.path()).value().empty());
  }
  const auto made = prepare_segment(dir.path(), header);
  REQUIRE(made.has_value());
  const auto bytes = file_bytes(dir / "0000000000000009.seg");
  CHECK(bytes.size() == 1 << 20);
  SegmentHeader h;
  CHECK(read_header(bytes, h) == HeaderFault::none);
  CHECK(h.segment == 9);
  CHECK(h.capacity == 1 << 20);
  CHECK(prepare_segment(dir.path(), header).error().value() == EEXIST);
}
