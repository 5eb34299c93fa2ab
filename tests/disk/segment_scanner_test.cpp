#include "channels/disk/segment_scanner.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <random>

#include "tests/disk/segment_bytes.h"

using namespace tailrace;

namespace {

using Messages = std::vector<std::string>;

TwinScan slowly(std::span<const std::byte> bytes, const Salts& salts = kTestSalts) {
  return scan_slowly(bytes, salts.crc, salts.seal);
}

/// A begin, a group and three records: a head that was not filled.
SegmentBytes three_records(uint64_t zeros = 0) {
  SegmentBytes segment;
  segment.begin({0, 1 << 30, 0, {}});
  segment.group(1, 3, 500);
  segment.record(7, 0, 1000, "first");
  segment.record(8, 0, 1000, "the second one");
  segment.record(7, 1, 1001, "third");
  segment.zeros(zeros);
  return segment;
}

/// A record whose message holds `forgery` at a multiple of 8, and where that is.
uint64_t record_with(SegmentBytes& segment, const std::function<std::vector<std::byte>(uint64_t)>& forgery) {
  const uint64_t text_at = segment.end() + kFixedBytes;
  const size_t before = MemoryEntry("").record().text().size();
  const uint64_t at = (text_at + before + 7) / 8 * 8;
  std::string message(at - text_at - before, '.');
  for (const std::byte b : forgery(at)) message += char(b);
  segment.record(9, 0, 5, message);
  return at;
}

}  // namespace

TEST_CASE("segment_scanner: finds what was written, and the zeros behind") {
  SegmentFile file;
  auto segment = three_records(1000);
  const TwinScan found = scan(file.with(segment.bytes));
  CHECK(found == slowly(segment.bytes));
  CHECK(messages(found) == Messages{"first", "the second one", "third"});
  CHECK(found.entries.size() == 5);
  REQUIRE(found.stretches.size() == 1);
  CHECK(found.stretches[0].zeros);
  CHECK(found.stretches[0].end == segment.end());
  CHECK(found.entries[4].ordinal == 1);
  CHECK(found.entries[4].number == 1001);
}

TEST_CASE("segment_scanner: one flipped bit costs the record it hit, in a control entry none (D7)") {
  SegmentFile file;
  auto segment = three_records(64);
  const TwinScan whole = slowly(segment.bytes);
  file.with(segment.bytes);
  for (uint64_t bit = kEntriesAt * 8; bit < segment.end() * 8; ++bit) {
    const uint64_t at = bit / 8;
    segment.bytes[at] ^= std::byte(1 << bit % 8);
    const TwinScan found = scan(file.set(at, segment.bytes[at]));
    REQUIRE(found == slowly(segment.bytes));
    std::vector<TwinEntry> expected;
    for (const TwinEntry& e : whole.entries)
      if (at < e.offset || at >= e.offset + e.size) expected.push_back(e);
    REQUIRE(found.entries == expected);
    segment.bytes[at] ^= std::byte(1 << bit % 8);
    file.set(at, segment.bytes[at]);
  }
}

TEST_CASE("segment_scanner: a flipped size does not lead past the next record") {
  SegmentFile file;
  SegmentBytes segment;
  std::vector<uint64_t> at;
  for (uint64_t i = 0; i < 6; ++i) {  // of 512 bytes each, so that a size that is wrong by 512 fits again
    at.push_back(segment.end());
    segment.record(7, i, i, std::string(512 - stored_size(MemoryEntry("").record().text().size()), '.'));
    segment.bytes.resize(at.back() + 512);
  }
  segment.bytes[at[1] + 25] ^= std::byte{2};
  CHECK(scan(file.with(segment.bytes)).entries.size() == 5);
}

TEST_CASE("segment_scanner: cut at any byte, what is whole is kept (D5)") {
  SegmentFile file;
  const auto segment = three_records();
  const TwinScan whole = slowly(segment.bytes);
  for (uint64_t size = 0; size <= segment.end(); ++size) {
    if (size > 8 && size < kEntriesAt - 8) size = kEntriesAt - 8;
    const auto cut = std::span(segment.bytes).first(size);
    const TwinScan found = scan(file.with(cut));
    REQUIRE(found == slowly(cut));
    std::vector<TwinEntry> expected;
    for (const TwinEntry& e : whole.entries)
      if (e.offset + e.size <= size) expected.push_back(e);
    REQUIRE(found.entries == expected);
  }
}

TEST_CASE("segment_scanner: sectors of zeros, anywhere") {
  SegmentFile file;
  SegmentBytes segment;
  for (uint64_t i = 0; i < 40; ++i) segment.record(7, i, i, std::string(i * 7, 'x'));
  const TwinScan whole = slowly(segment.bytes);
  for (uint64_t from = kEntriesAt; from < segment.end(); from += 512)
    for (const uint64_t sectors : {1, 3}) {
      auto bytes = segment.bytes;
      const uint64_t until = std::min(segment.end(), from + sectors * 512);
      std::fill(bytes.begin() + ptrdiff_t(from), bytes.begin() + ptrdiff_t(until), std::byte{0});
      const TwinScan found = scan(file.with(bytes));
      REQUIRE(found == slowly(bytes));
      std::vector<TwinEntry> expected;
      for (const TwinEntry& e : whole.entries)
        if (e.offset + e.size <= from || e.offset >= until) expected.push_back(e);
      REQUIRE(found.entries == expected);
    }
}

TEST_CASE("segment_scanner: sizes that are absurd cost nothing (D6)") {
  SegmentFile file;
  for (const uint32_t size : {0u, 1u, 32u * 1024, 32u * 1024 + 1, 1u << 26, 0x7fffffffu, 0xffffffffu})
    for (const uint32_t channel : {7u, kControlChannel})
      for (const uint32_t kind : {0u, 1u, 2u, 3u, 4u, 5u, 6u}) {
        auto segment = three_records(100);
        const uint64_t at = slowly(segment.bytes).entries[3].offset;
        std::memcpy(segment.bytes.data() + at + 8, &channel, 4);
        std::memcpy(segment.bytes.data() + at + 12, &kind, 4);
        std::memcpy(segment.bytes.data() + at + 24, &size, 4);
        const TwinScan found = scan(file.with(segment.bytes));
        CHECK(found == slowly(segment.bytes));
        CHECK(messages(found) == Messages{"first", "third"});
      }
}

TEST_CASE("segment_scanner: bytes in a log line are no entry, unless the salts were known (D5)") {
  SegmentFile file;
  const auto forged_with = [](const Salts& salts, uint64_t offset_in_forgery) {
    return [=](uint64_t at) {
      const MemoryEntry memory("forged");
      std::vector<std::byte> bytes(stored_size(memory.record().header().text_size));
      write_record(salts, at + offset_in_forgery, 1, 0, {1}, memory.record(), bytes.data());
      return bytes;
    };
  };
  const auto found_after_damage = [&](const auto& forgery) {
    SegmentBytes segment;
    segment.record(7, 0, 1000, "before");
    const uint64_t record_at = segment.end();
    record_with(segment, forgery);
    segment.record(7, 1, 1001, "behind");
    CHECK(messages(scan(file.with(segment.bytes))).size() == 3);  // while it is whole, it is text
    segment.bytes[record_at] ^= std::byte{1};
    const TwinScan found = scan(file.with(segment.bytes));
    CHECK(found == slowly(segment.bytes));
    return messages(found);
  };
  const Messages innocent{"before", "behind"};
  CHECK(found_after_damage(forged_with(kTestSalts, 0)) == Messages{"before", "forged", "behind"});  // control
  CHECK(found_after_damage(forged_with({kTestSalts.crc, kTestSalts.seal + 1}, 0)) == innocent);
  CHECK(found_after_damage(forged_with({kTestSalts.crc + 1, kTestSalts.seal}, 0)) == innocent);
  CHECK(found_after_damage(forged_with({0, 0}, 0)) == innocent);
  CHECK(found_after_damage(forged_with(kTestSalts, 8)) == innocent);  // true bytes of another offset
  CHECK(found_after_damage(forged_with(kTestSalts, 4096)) == innocent);

  // A log reader that writes back the bytes of a whole segment of zeros, of seals, of itself.
  auto copy = three_records();
  const std::vector<std::byte> own(copy.bytes.begin() + kEntriesAt, copy.bytes.end());
  CHECK(found_after_damage([&](uint64_t) { return own; }) == innocent);
  CHECK(found_after_damage([&](uint64_t) { return std::vector<std::byte>(3000); }) == innocent);
}

TEST_CASE("segment_scanner: an index ends the scan, of whatever size; a damaged one is a stretch") {
  SegmentFile file;
  for (const size_t text_size : {16u, 1000u, 200'000u, 262'088u, 1'000'000u}) {
    auto segment = three_records();
    const uint64_t index_at = segment.end();
    const size_t opened = open_control(ControlKind::index, 0, kTestTime, segment.bytes);
    segment.bytes.resize(segment.end() + text_size, std::byte{0x55});
    close_control(kTestSalts, index_at, opened, segment.bytes);
    const uint64_t end_at = segment.end();
    write_end(kTestSalts, end_at, kTestTime, {index_at, 3, 1, 0, 0}, segment.bytes);
    TwinScan found = scan(file.with(segment.bytes));
    CHECK(found == slowly(segment.bytes));
    CHECK(found.ended == index_at);
    CHECK(found.entries.size() == 5);

    for (const uint64_t flip : {index_at, index_at + 24, index_at + 60, end_at - 1}) {
      auto bytes = segment.bytes;
      bytes[flip] ^= std::byte{1};
      found = scan(file.with(bytes));
      CHECK(found == slowly(bytes));
      CHECK(found.ended == segment.end());
      REQUIRE(found.entries.size() == 6);
      CHECK(found.entries[5].offset == end_at);
    }
    found = scan(file.with(std::span(segment.bytes).first(end_at - 8)));
    CHECK(found.entries.size() == 5);
  }
}

TEST_CASE("segment_scanner: agrees with its twin on random segments with random damage") {
  SegmentFile file;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto below = [&](uint64_t n) { return uint64_t(random()) % n; };
    SegmentBytes segment;
    const uint64_t size = seed % 10 == 0 ? 900'000 : 20'000;
    for (uint64_t i = 0; segment.end() < size; ++i) {
      if (below(10) == 0) segment.group(i, 1, 100);
      if (below(20) == 0) segment.post({{uint8_t(i)}, kTestTime, uint32_t(i), "truncated=1"});
      segment.record(uint32_t(below(3)), i, i, std::string(below(50) == 0 ? below(10'000) : below(300), 'm'));
    }
    segment.zeros(below(1000));
    for (uint64_t n = below(12); n > 0; --n) {
      const uint64_t at = kEntriesAt + below(segment.end() - kEntriesAt);
      const uint64_t until = std::min(segment.end(), at + 1 + below(900));
      const uint64_t from = kEntriesAt + below(segment.end() - kEntriesAt);
      for (uint64_t i = at; i < until; ++i) switch (n % 4) {
          case 0:
            segment.bytes[i] = std::byte{0};
            break;
          case 1:
            segment.bytes[i] = std::byte(random());
            break;
          case 2:
            segment.bytes[i] = segment.bytes[std::min(segment.end() - 1, from + i - at)];
            break;
          default:
            segment.bytes[at] ^= std::byte(1 << below(8));
            i = until;
        }
    }
    if (below(4) == 0) segment.bytes.resize(kEntriesAt + below(segment.end() - kEntriesAt));
    const TwinScan found = scan(file.with(segment.bytes));
    REQUIRE(found == slowly(segment.bytes));
    CHECK_FALSE(found.entries.empty());
  }
}

TEST_CASE("segment_scanner: a read that fails ends it, and is told") {
  struct Failing final : IoHook {
    int before(const IoStep& step, size_t&) override {
      return step.kind == IoStep::Kind::read && step.offset > kEntriesAt ? EIO : 0;
    }
  } hook;
  SegmentFile file;
  SegmentBytes segment;
  for (uint64_t i = 0; i < 100; ++i) segment.record(7, i, i, std::string(10'000, 'x'));
  const File& f = file.with(segment.bytes);
  set_io_hook(&hook);
  SegmentScanner scanner(f, kTestSalts, kEntriesAt, segment.end());
  size_t entries = 0;
  while (scanner.next()) ++entries;
  set_io_hook(nullptr);
  CHECK(entries > 10);
  CHECK(entries < 30);
  CHECK(scanner.error().value() == EIO);
}
