#include "channels/disk/recovery.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "tests/disk/data_dir.h"

using namespace tailrace;

namespace {

/// Three segments, the last a head with two groups.
void fill(DataDir& dir) {
  for (int segment = 0; segment < 3; ++segment) {
    dir.begin();
    REQUIRE(dir.group({{7, {"a", "bb"}}, {9, {"x"}}}, {{{uint8_t(segment)}, kTestTime, 3, ""}}));
    REQUIRE(dir.group({{9, {"yyyy"}}, {7, {"c"}}}));
    if (segment < 2) dir.seal();
  }
}

void damage(const std::string& path, uint64_t offset, std::string_view bytes) {
  File file = File::open_to_write(path).value();
  file.write(offset, std::as_bytes(std::span(bytes))).value();
}

void cut(const std::string& path, uint64_t size) {
  File::open_to_write(path).value().truncate(size).value();
}

std::vector<std::string> names(const DataDir& dir) {
  auto all = list_dir(dir.dir()).value();
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("recovery: an empty dir is a beginning; one that cannot be read is an error") {
  const DataDir dir;
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  CHECK(started.recovered.next_segment == 1);
  CHECK(started.recovered.next_group == 1);
  CHECK(started.recovered.last_segment == 0);
  CHECK(started.recovered.entries == 0);
  CHECK(started.recovered.channels.empty());
  RecoveryOptions options = options_for(dir);
  options.segments_dir += "/none";
  const Started none(options);
  CHECK(none.failed);
  CHECK(none.error.find("No such file") != std::string::npos);
}

TEST_CASE("recovery: what was synced is there, with what the next start needs") {
  DataDir dir;
  fill(dir);
  dir.prepare();
  dir.prepare();
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  CHECK(read_all(started) == dir.expected);
  const Recovered& r = started.recovered;
  CHECK(r.data_dir == dir.data_dir);
  CHECK(r.mark == dir.mark);
  CHECK(r.highest_number == 8);
  CHECK(r.next_segment == 6);
  CHECK(r.last_segment == 3);
  CHECK(r.next_group == 7);
  CHECK(r.entries == 18);
  CHECK(r.channels.at(7).end_ordinal == 9);
  CHECK(r.channels.at(7).lowest_ordinal == 0);
  CHECK(r.channels.at(7).records == 9);
  CHECK(r.channels.at(9).end_ordinal == 6);
  CHECK(r.channels.at(8).end_ordinal == 0);
  CHECK(r.posts.size() == 3);
  CHECK(r.loss.torn_entries == 0);
  CHECK(r.loss.damaged_stretches == 0);
  CHECK(r.loss.missing_entries == 0);
  CHECK(r.loss.unreadable.empty());
  REQUIRE(r.unsealed.size() == 1);
  CHECK(r.unsealed[0]->header.segment == 3);
  CHECK(r.unsealed[0]->entries_end == dir.head().synced_end());
  CHECK(names(dir).size() == 3);  // the prepared ones went

  CHECK(r.base(0, 0).value == dir.mark);
  CHECK(r.base(dir.mark + 5, 0).value == dir.mark + 6);
  CHECK(r.base(0, kTestTime).value == uint64_t{1'795'000'000} << 20);

  const Started again(dir);  // a second start finds the same
  CHECK(read_all(again) == dir.expected);
  CHECK(again.recovered.entries == 18);
}

TEST_CASE("recovery: a head cut at any byte, or with any sector lost, keeps every whole record (D5)") {
  DataDir dir;
  fill(dir);
  const std::string head = dir.path(3);
  const auto whole = file_bytes(head);
  const auto extents = scan_slowly(whole, dir.header(3).salts.crc, dir.header(3).salts.seal).entries;
  const auto expect = [&](uint64_t from, uint64_t until) {
    Channels expected = dir.expected;
    expected[7].erase(expected[7].end() - 3, expected[7].end());
    expected[9].erase(expected[9].end() - 2, expected[9].end());
    std::map<uint32_t, size_t> seen{{7, 6}, {9, 4}};
    for (const TwinEntry& e : extents) {
      if (e.channel == kControlChannel) continue;
      const Known known = dir.expected[e.channel][seen[e.channel]++];
      if (e.offset + e.size <= from || e.offset >= until) expected[e.channel].push_back(known);
    }
    return expected;
  };
  const uint64_t last_group_at = extents[6].offset;
  REQUIRE(extents[6].ordinal == uint32_t(ControlKind::group));
  for (uint64_t size = kEntriesAt + 81; size <= dir.head().synced_end(); size += 3) {
    cut(head, size);
    const Started started(dir);
    REQUIRE_FALSE(started.failed);
    REQUIRE(read_all(started) == expect(size, UINT64_MAX));
    REQUIRE(started.recovered.loss.missing_entries == 0);
    REQUIRE(started.recovered.loss.damaged_stretches == 0);
    if (size >= last_group_at + kGroupBytes && size < extents[7].offset + extents[7].size)
      REQUIRE(started.recovered.loss.torn_entries == 2);
    File::open_to_write(head).value().write(0, whole).value();
  }
  for (uint64_t at = kEntriesAt; at < dir.head().synced_end(); at += 64) {
    damage(head, at, std::string(64, '\0'));
    const Started started(dir);
    REQUIRE_FALSE(started.failed);
    REQUIRE(read_all(started) == expect(at, at + 64));
    REQUIRE(started.recovered.next_segment == 4);
    File::open_to_write(head).value().write(0, whole).value();
  }
}

TEST_CASE("recovery: torn is told from damaged") {
  DataDir dir;
  fill(dir);
  const auto entries =
      scan_slowly(file_bytes(dir.path(3)), dir.header(3).salts.crc, dir.header(3).salts.seal).entries;
  SUBCASE("in the last group: torn") {
    damage(dir.path(3), entries[7].offset + 60, "?");
    const Started started(dir);
    CHECK(started.recovered.loss.torn_entries == 1);
    CHECK(started.recovered.loss.damaged_stretches == 0);
    CHECK(started.recovered.loss.missing_entries == 0);
    CHECK(started.recovered.entries == 17);
  }
  SUBCASE("before it: damaged") {
    damage(dir.path(3), entries[3].offset + 60, "?");
    const Started started(dir);
    CHECK(started.recovered.loss.torn_entries == 0);
    CHECK(started.recovered.loss.damaged_stretches == 1);
  }
  SUBCASE("the same bytes with another segment behind them: damaged, and known how much") {
    dir.begin();
    REQUIRE(dir.group({{7, {"z"}}}));
    damage(dir.path(3), entries[7].offset + 60, "?");
    const Started started(dir);
    CHECK(started.recovered.loss.torn_entries == 0);
    CHECK(started.recovered.loss.damaged_stretches == 1);
    CHECK(started.recovered.loss.missing_entries == 1);
    CHECK(started.recovered.entries == 19);
    auto expected = dir.expected;
    expected[9].erase(expected[9].begin() + 5);
    CHECK(read_all(started) == expected);
  }
}

TEST_CASE("recovery: an index that is damaged, or was not finished, costs a scan and nothing else (D7)") {
  DataDir dir;
  fill(dir);
  const uint64_t size = file_bytes(dir.path(2)).size();
  SUBCASE("flipped") {
    damage(dir.path(2), size - 100, "?");
  }
  SUBCASE("no end") {
    cut(dir.path(2), size - 1);
  }
  SUBCASE("none") {
    cut(dir.path(2), size - kEndBytes - 200);
  }
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  CHECK(read_all(started) == dir.expected);
  CHECK(started.recovered.unsealed.size() == 2);
  CHECK(started.recovered.loss.damaged_stretches == 0);
  CHECK(started.recovered.loss.missing_entries == 0);
  CHECK(started.recovered.entries == 18);
}

TEST_CASE("recovery: a group that failed and was written again is there once") {
  DataDir dir;
  dir.begin();
  REQUIRE(dir.group({{7, {"a"}}}));
  const uint64_t end = dir.head().synced_end();
  const Slice slice = make_slice(1, {"b", "c"});
  {
    const ScopedHook hook(
        [](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
    CHECK_FALSE(dir.write({{7, 1, slice}}));
  }
  REQUIRE(scan_slowly(file_bytes(dir.path(1)), dir.header(1).salts.crc, dir.header(1).salts.seal)
              .entries.size() == 6);  // all of it came to the file
  dir.begin({{1, end}});

  SUBCASE("written again") {
    REQUIRE(dir.write({{7, 1, slice}}));
    CHECK(to_text(read_channel(Started(dir).segments, 7)) == "0:0:a 1:1:b 2:2:c ");
  }
  SUBCASE("taken back: other records have its ordinals, the old ones are void") {
    REQUIRE(dir.write({{7, 1, make_slice(10, {"B"})}}));
    const Started started(dir);
    CHECK(to_text(read_channel(started.segments, 7)) == "0:0:a 1:10:B ");
    CHECK(started.recovered.channels[7].end_ordinal == 2);
    CHECK(started.recovered.unsealed[0]->entries_end == end);
    CHECK(started.recovered.loss.damaged_stretches == 0);
  }
  SUBCASE("written again, and the begin is torn: both are there, and read once") {
    REQUIRE(dir.write({{7, 1, slice}}));
    damage(dir.path(2), kEntriesAt + 30, "??");
    const Started started(dir);
    CHECK(to_text(read_channel(started.segments, 7)) == "0:0:a 1:1:b 2:2:c ");
    CHECK(started.recovered.channels[7].end_ordinal == 3);
  }
}

TEST_CASE("recovery: a segment that is missing is counted, the oldest ones are not") {
  DataDir dir;
  fill(dir);
  SUBCASE("in the middle") {
    REQUIRE(unlink_file(dir.path(2)).has_value());
    const Started started(dir);
    CHECK(started.recovered.loss.missing_entries == 6);
    CHECK(started.recovered.entries == 18);
    CHECK(read_all(started)[7].size() == 6);
  }
  SUBCASE("the oldest: cleaned") {
    REQUIRE(unlink_file(dir.path(1)).has_value());
    const Started started(dir);
    CHECK(started.recovered.loss.missing_entries == 0);
    CHECK(started.recovered.entries == 18);
    CHECK(started.recovered.channels[7].lowest_ordinal == 3);
    CHECK(started.recovered.channels[7].end_ordinal == 9);
  }
  SUBCASE("both headers are gone") {
    damage(dir.path(2), 0, std::string(kEntriesAt, 'x'));
    const Started started(dir);
    CHECK(started.recovered.loss.unreadable == std::vector<uint64_t>{2});
    CHECK(started.recovered.loss.missing_entries == 6);
    CHECK(names(dir).size() == 3);  // kept for whoever can read it
  }
  SUBCASE("one header is gone") {
    damage(dir.path(2), 0, std::string(kHeaderBlock, 'x'));
    CHECK(read_all(Started(dir)) == dir.expected);
  }
}

TEST_CASE("recovery: a newer version refuses the start by name, and nothing is changed (D12)") {
  DataDir dir;
  fill(dir);
  dir.prepare();
  auto bytes = file_bytes(dir.path(2));
  for (const size_t at : {0, 4096}) {
    bytes[at + 8] = std::byte{3};
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 124; ++i) twin::add_to_crc(crc, uint8_t(bytes[at + i]));
    crc = ~crc;
    std::memcpy(bytes.data() + at + 124, &crc, 4);
  }
  File::open_to_write(dir.path(2)).value().write(0, bytes).value();
  const auto before = names(dir);
  size_t changes = 0;
  {
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      changes += step.kind != IoStep::Kind::read;
      return 0;
    });
    const Started started(dir);
    CHECK(started.failed);
    CHECK(started.error == "segment 0000000000000002 has version 3, this is 1");
    CHECK(started.segments.all().empty());
  }
  CHECK(changes == 0);
  CHECK(names(dir) == before);
}

TEST_CASE("recovery: files of others are not read, not counted, not touched") {
  DataDir dir, other;
  fill(dir);
  other.data_dir[0] = 99;
  other.next_segment = 5;
  other.begin();
  REQUIRE(other.group({{7, {"foreign"}}}));
  REQUIRE(::link(other.path(5).c_str(), dir.path(5).c_str()) == 0);
  (void)File::create(dir.dir() + "/notes.txt").value();
  REQUIRE(::link(dir.path(1).c_str(), dir.path(9).c_str()) == 0);  // renamed: its number is another's
  RecoveryOptions options = options_for(dir);
  options.data_dir = dir.data_dir;
  const Started started(options);
  REQUIRE_FALSE(started.failed);
  CHECK(read_all(started) == dir.expected);
  CHECK(started.recovered.loss.unreadable == std::vector<uint64_t>{5, 9});
  CHECK(started.recovered.next_segment == 10);
  CHECK(names(dir).size() == 6);
}

TEST_CASE("recovery: prepared segments go, whatever a crash left of them; what holds bytes stays") {
  DataDir dir;
  fill(dir);
  dir.prepare();  // 4: whole
  (void)File::create(dir.path(5)).value();
  File::create(dir.path(6)).value().allocate(1 << 20).value();
  dir.next_segment = 7;
  dir.prepare();
  damage(dir.path(7), 0, std::string(100, 'x'));
  damage(dir.path(7), 4096, std::string(100, 'x'));  // torn, zeros behind
  File::create(dir.path(8)).value().write(9000, std::as_bytes(std::span("bytes", 5))).value();
  const Started started(dir);
  CHECK(read_all(started) == dir.expected);
  CHECK(names(dir) ==
        std::vector<std::string>{segment_name(1), segment_name(2), segment_name(3), segment_name(8)});
  CHECK(started.recovered.loss.unreadable == std::vector<uint64_t>{8});
  CHECK(started.recovered.next_segment == 9);
}

TEST_CASE("recovery: posts of five minutes, newest first, with what was rejected") {
  DataDir dir;
  const Micros minute = 60'000'000;
  const auto post = [&](int id, Micros age, const std::string& rejected) {
    return PostVerdict{{uint8_t(id)}, kTestTime - age, uint32_t(id), rejected};
  };
  dir.begin();
  REQUIRE(dir.group({{7, {"a"}}}, {post(1, 6 * minute, ""), post(2, 4 * minute, "truncated=2 no_token=1")}));
  dir.seal();
  dir.begin();
  REQUIRE(dir.group({{7, {"b"}}}, {post(3, 3 * minute, ""), post(4, 2 * minute, "raw=1")}));
  const Started started(options_for(dir, kTestTime));
  const auto& posts = started.recovered.posts;
  REQUIRE(posts.size() == 3);
  CHECK(posts[0].key[0] == 4);
  CHECK(posts[0].rejected == "raw=1");
  CHECK(posts[0].accepted == 4);
  CHECK(posts[1].rejected.empty());
  CHECK(posts[2].key[0] == 2);
  CHECK(posts[2].rejected == "truncated=2 no_token=1");
  CHECK(posts[2].arrival == kTestTime - 4 * minute);
  CHECK(Started(options_for(dir, kTestTime + 10 * minute)).recovered.posts.empty());
}

TEST_CASE("recovery: ordinals beyond 32 bits come back whole") {
  DataDir dir;
  const uint64_t far = 0x5fffffffeull;
  dir.ends[7] = {far, 1};
  dir.begin();
  REQUIRE(dir.group({{7, {"a", "b", "c", "d"}}}));
  SUBCASE("by what positions.db says, if no index does") {
    RecoveryOptions options = options_for(dir);
    options.about = [&](uint32_t channel) { return channel == 7 ? far - 1000 : 0; };
    const Started started(options);
    CHECK(started.recovered.channels[7].end_ordinal == far + 4);
    CHECK(read_channel(started.segments, 7) == dir.expected[7]);
  }
  SUBCASE("by the index of another segment") {
    dir.seal();
    dir.begin();
    REQUIRE(dir.group({{7, {"e"}}}));
    const Started started(dir);
    CHECK(started.recovered.channels[7].end_ordinal == far + 5);
    CHECK(started.recovered.channels[7].lowest_ordinal == far);
    CHECK(read_channel(started.segments, 7) == dir.expected[7]);
  }
}

TEST_CASE("recovery: a file that cannot be read costs that file (D12)") {
  DataDir dir;
  fill(dir);
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    return step.kind == IoStep::Kind::read && step.path == dir.path(2) ? EIO : 0;
  });
  const Started started(dir);
  REQUIRE_FALSE(started.failed);
  CHECK(started.recovered.loss.unreadable == std::vector<uint64_t>{2});
  CHECK(started.recovered.loss.missing_entries == 6);
  CHECK(read_all(started)[7].size() == 6);
}

TEST_CASE("recovery: whatever is damaged, what is whole is read, and nothing else (D5, D6, D12)") {
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return uint64_t(random()) % n; };
    DataDir dir(128 * 1024);
    const auto text = [&] { return std::string(below(300), char('a' + below(26))); };
    struct Place {
      uint32_t channel;
      Known known;
    };
    std::map<std::pair<uint64_t, uint64_t>, Place> places;  // by segment and offset
    for (uint64_t segment = 1; segment <= 4; ++segment) {
      dir.begin();
      Channels before = dir.expected;
      for (int group = 0; group < 3; ++group) REQUIRE(dir.group({{1, {text(), text()}}, {2, {text()}}}));
      if (below(3) > 0) dir.seal();
      const Salts salts = dir.header(segment).salts;
      for (const TwinEntry& e : scan_slowly(file_bytes(dir.path(segment)), salts.crc, salts.seal).entries)
        if (e.channel != kControlChannel)
          places[{segment, e.offset}] = {e.channel, dir.expected[e.channel][e.ordinal]};
    }
    std::map<uint64_t, std::vector<std::byte>> whole;
    for (uint64_t s = 1; s <= 4; ++s) whole[s] = file_bytes(dir.path(s));
    for (uint64_t n = 1 + below(8); n > 0; --n) {
      const uint64_t segment = 1 + below(4);
      // Among the entries more often than not; the second header is spared.
      const uint64_t at = below(4) ? kEntriesAt + below(6000) : below(4000);
      std::string junk(1 + below(200), '\0');
      if (below(2))
        for (char& c : junk) c = char(random());
      if (at < kHeaderBlock) junk.resize(std::min<size_t>(junk.size(), kHeaderBlock - at));
      damage(dir.path(segment), at, junk);
    }
    std::map<uint64_t, std::vector<std::byte>> after;
    for (uint64_t s = 1; s <= 4; ++s) after[s] = file_bytes(dir.path(s));
    Channels expected{{1, {}}, {2, {}}};
    for (const auto& [place, record] : places) {
      const auto [segment, offset] = place;
      const uint64_t size = stored_size(MemoryEntry(record.known.message).record().header().text_size);
      const auto same = [&](const std::vector<std::byte>& bytes) {
        return std::equal(bytes.begin() + ptrdiff_t(offset), bytes.begin() + ptrdiff_t(offset + size),
                          whole[segment].begin() + ptrdiff_t(offset));
      };
      if (same(after[segment])) expected[record.channel].push_back(record.known);
    }
    const Started started(dir);
    REQUIRE_FALSE(started.failed);
    Channels read = read_all(started);
    for (const uint32_t c : {1, 2}) REQUIRE_MESSAGE(read[c] == expected[c], to_text(read[c]));
    CHECK(started.recovered.next_segment == 5);
  }
}
