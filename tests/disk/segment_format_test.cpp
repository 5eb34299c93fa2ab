#include "channels/disk/segment_format.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/disk/segment_bytes.h"

using namespace tailrace;

namespace {

template <class T>
T value_at(const std::vector<std::byte>& bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::vector<std::byte> header_bytes(const SegmentHeader& header) {
  std::vector<std::byte> bytes(kEntriesAt);
  write_header(header, bytes);
  return bytes;
}

SegmentHeader some_header() {
  SegmentHeader h;
  h.segment = 0x17;
  for (size_t i = 0; i < 16; ++i) h.data_dir[i] = uint8_t(i + 1);
  h.salts = {0x11223344, 0x55667788};
  h.created = kTestTime;
  h.capacity = 1 << 20;
  return h;
}

}  // namespace

TEST_CASE("segment_format: a header lies as the document says") {
  const SegmentHeader h = some_header();
  const auto bytes = header_bytes(h);
  for (const size_t at : {0, 4096}) {
    CHECK(std::memcmp(bytes.data() + at, "TRLOGSEG", 8) == 0);
    CHECK(value_at<uint32_t>(bytes, at + 8) == 1);
    CHECK(value_at<uint32_t>(bytes, at + 12) == (at ? 1 : 0));
    CHECK(value_at<uint64_t>(bytes, at + 16) == 0x17);
    CHECK(std::memcmp(bytes.data() + at + 24, h.data_dir.data(), 16) == 0);
    CHECK(value_at<uint32_t>(bytes, at + 40) == 0x11223344);
    CHECK(value_at<uint32_t>(bytes, at + 44) == 0x55667788);
    CHECK(value_at<Micros>(bytes, at + 48) == kTestTime);
    CHECK(value_at<uint64_t>(bytes, at + 56) == 1 << 20);
    for (size_t i = 64; i < 4096; ++i)
      if (i < 124 || i >= 128) REQUIRE(bytes[at + i] == std::byte{0});
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 124; ++i) twin::add_to_crc(crc, uint8_t(bytes[at + i]));
    CHECK(value_at<uint32_t>(bytes, at + 124) == ~crc);
  }
}

TEST_CASE("segment_format: one good copy of the header is enough, whatever bit flips (D7)") {
  auto bytes = header_bytes(some_header());
  SegmentHeader h;
  for (size_t bit = 0; bit < kEntriesAt * 8; bit = bit % 4096 == 128 * 8 ? bit + 3968 * 8 : bit + 1) {
    bytes[bit / 8] ^= std::byte(1 << bit % 8);
    h = {};
    REQUIRE(read_header(bytes, h) == HeaderFault::none);
    REQUIRE(h.segment == 0x17);
    REQUIRE(h.salts.seal == 0x55667788);
    REQUIRE(h.data_dir == some_header().data_dir);
    REQUIRE(h.capacity == 1 << 20);
    bytes[bit / 8] ^= std::byte(1 << bit % 8);
  }
}

TEST_CASE("segment_format: headers that are no use are told apart") {
  SegmentHeader h;
  auto bytes = header_bytes(some_header());
  bytes[20] ^= std::byte{1}, bytes[4096 + 30] ^= std::byte{4};
  CHECK(read_header(bytes, h) == HeaderFault::damaged);
  CHECK(read_header({}, h) == HeaderFault::damaged);
  CHECK(read_header(std::vector<std::byte>(kEntriesAt), h) == HeaderFault::damaged);
  for (size_t size = 0; size < kEntriesAt; ++size)
    REQUIRE(read_header(std::span(bytes).first(size), h) == HeaderFault::damaged);

  auto bad = some_header();
  bad.capacity = kMostCapacity + 8;
  CHECK(read_header(header_bytes(bad), h) == HeaderFault::damaged);
  bad.capacity = 4097;
  CHECK(read_header(header_bytes(bad), h) == HeaderFault::damaged);

  bytes = header_bytes(some_header());
  for (const size_t at : {0, 4096}) {
    const uint32_t version = 2;
    std::memcpy(bytes.data() + at + 8, &version, 4);
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 124; ++i) twin::add_to_crc(crc, uint8_t(bytes[at + i]));
    crc = ~crc;
    std::memcpy(bytes.data() + at + 124, &crc, 4);
  }
  uint32_t version = 0;
  CHECK(read_header(bytes, h, &version) == HeaderFault::newer_version);
  CHECK(version == 2);
}

TEST_CASE("segment_format: a record lies as the document says, its padding zero") {
  const MemoryEntry memory("hello");
  SegmentBytes segment;
  segment.record(7, 0x500000003, 1000, "hello");
  const auto& b = segment.bytes;
  const size_t at = kEntriesAt;
  CHECK(value_at<uint32_t>(b, at + 4) == (kTestSalts.seal ^ at / 8));
  CHECK(value_at<uint32_t>(b, at + 8) == 7);
  CHECK(value_at<uint32_t>(b, at + 12) == 3);
  CHECK(value_at<uint64_t>(b, at + 16) == 1000);
  const EntryHeader& h = memory.record().header();
  CHECK(value_at<uint32_t>(b, at + 24) == h.text_size);
  CHECK(value_at<uint32_t>(b, at + 28) == h.msg_at);
  CHECK(value_at<Micros>(b, at + 32) == kTestTime);
  CHECK(value_at<uint16_t>(b, at + 40) == h.time_at);
  CHECK(value_at<uint16_t>(b, at + 50) == h.sd_at);
  CHECK(value_at<uint8_t>(b, at + 52) == 13);
  CHECK(value_at<uint8_t>(b, at + 53) == 0);
  CHECK(value_at<uint16_t>(b, at + 54) == 0);
  const std::string_view text = memory.record().text();
  CHECK(std::memcmp(b.data() + at + 56, text.data(), text.size()) == 0);
  REQUIRE(b.size() % 8 == 0);
  REQUIRE(b.size() > at + 56 + text.size());
  for (size_t i = at + 56 + text.size(); i < b.size(); ++i) CHECK(b[i] == std::byte{0});

  const auto entry = read_entry(kTestSalts, at, std::span(b).subspan(at));
  REQUIRE(entry);
  CHECK(entry->record.text() == text);
  CHECK(entry->record.message() == "hello");
  CHECK(entry->behind() == b.size());
  CHECK_FALSE(entry->is_control());
}

TEST_CASE("segment_format: what makes a record invalid although its checksum fits") {
  const MemoryEntry memory("hello");
  const auto stored = [&](uint64_t number, auto&& change) {
    std::vector<std::byte> bytes(stored_size(memory.record().header().text_size));
    write_record(kTestSalts, kEntriesAt, 7, 3, {number}, memory.record(), bytes.data());
    change(bytes.data());
    const uint32_t crc = check_of(kTestSalts, kEntriesAt, bytes);
    std::memcpy(bytes.data(), &crc, 4);
    return read_entry(kTestSalts, kEntriesAt, bytes).has_value();
  };
  const auto none = [](std::byte*) {};
  const auto set16 = [](size_t at, uint16_t value) {
    return [=](std::byte* e) { std::memcpy(e + at, &value, 2); };
  };
  CHECK(stored(1, none));
  CHECK(stored(kPositionLimit - 1, none));
  CHECK_FALSE(stored(kPositionLimit, none));
  CHECK_FALSE(stored(1, set16(40, 4)));    // time_at
  CHECK_FALSE(stored(1, set16(42, 5)));    // host_at == time_at
  CHECK_FALSE(stored(1, set16(50, 900)));  // sd_at behind msg_at
  CHECK_FALSE(stored(1, set16(28, 900)));  // msg_at behind the text
  CHECK_FALSE(stored(1, set16(54, 1)));
  CHECK_FALSE(stored(1, [](std::byte* e) { e[52] = std::byte{192}; }));
  CHECK_FALSE(stored(1, [](std::byte* e) { e[4] ^= std::byte{1}; }));  // the seal
}

TEST_CASE("segment_format: control entries come back") {
  std::vector<std::byte> out;
  const auto entry = [&] {
    const auto e = read_entry(kTestSalts, kEntriesAt, out);
    REQUIRE(e);
    REQUIRE(e->is_control());
    CHECK(e->size == out.size());
    CHECK(e->record.arrival() == kTestTime);
    return *e;
  };
  BeginText begin{5, 1 << 20, 77, {{3, 8192}, {4, 9000}}};
  write_begin(kTestSalts, kEntriesAt, kTestTime, begin, out);
  CHECK(out.size() == begin_bytes(begin));
  CHECK(entry().kind() == ControlKind::begin);
  const auto b = read_begin(entry());
  CHECK(b->before == 5);
  CHECK(b->mark == 1 << 20);
  CHECK(b->entries == 77);
  CHECK(b->voids == begin.voids);

  out.clear();
  write_group(kTestSalts, kEntriesAt, kTestTime, {9, 1 << 21, 3, 500}, out);
  CHECK(out.size() == kGroupBytes);
  CHECK(entry().kind() == ControlKind::group);
  const auto g = read_group(entry());
  CHECK(g->group == 9);
  CHECK(g->mark == 1 << 21);
  CHECK(g->entries == 3);
  CHECK(g->bytes == 500);

  for (const std::string rejected : {"", "truncated=1 malformed=2"}) {
    out.clear();
    PostVerdict post{{1, 2, 3}, kTestTime, 12, rejected};
    write_post(kTestSalts, kEntriesAt, post, out);
    CHECK(out.size() == post_bytes(post));
    const auto p = read_post(entry());
    CHECK(p->key == post.key);
    CHECK(p->arrival == kTestTime);
    CHECK(p->accepted == 12);
    CHECK(p->rejected == rejected);
  }

  out.clear();
  write_end(kTestSalts, kEntriesAt, kTestTime, {16384, 9, 4, kTestTime, 1 << 22}, out);
  CHECK(out.size() == kEndBytes);
  const auto e = read_end(entry());
  CHECK(e->index_at == 16384);
  CHECK(e->records == 9);
  CHECK(e->last_group == 4);
  CHECK(e->newest == kTestTime);
  CHECK(e->mark == 1 << 22);
}

TEST_CASE("segment_format: control entries of unknown kinds are read, malformed ones are not") {
  const auto valid = [](ControlKind kind, const std::string& text) {
    std::vector<std::byte> out;
    const size_t opened = open_control(kind, 1, kTestTime, out);
    for (const char c : text) out.push_back(std::byte(c));
    close_control(kTestSalts, kEntriesAt, opened, out);
    const bool fast = read_entry(kTestSalts, kEntriesAt, out).has_value();
    std::vector<std::byte> segment(kEntriesAt);
    segment.insert(segment.end(), out.begin(), out.end());
    CHECK(fast == twin::entry_at(segment, kEntriesAt, kTestSalts.crc, kTestSalts.seal).has_value());
    return fast;
  };
  const std::string key(16, 'k');
  CHECK(valid(ControlKind(99), "whatever"));
  CHECK(valid(ControlKind(99), std::string(kMostRecordText, 'x')));
  CHECK_FALSE(valid(ControlKind(99), std::string(kMostRecordText + 1, 'x')));
  CHECK_FALSE(valid(ControlKind::begin, ""));
  CHECK(valid(ControlKind::begin, std::string(24, '\0')));
  CHECK_FALSE(valid(ControlKind::begin, std::string(40, '\0')));  // no void announced
  CHECK_FALSE(valid(ControlKind::group, std::string(16, '\0')));  // smaller than itself
  CHECK_FALSE(valid(ControlKind::group, std::string(15, 'x')));
  CHECK(valid(ControlKind::post, key + "accepted=0"));
  CHECK(valid(ControlKind::post, key + "accepted=4294967295 a=1"));
  CHECK_FALSE(valid(ControlKind::post, key + "accepted=4294967296"));
  CHECK_FALSE(valid(ControlKind::post, key + "accepted="));
  CHECK_FALSE(valid(ControlKind::post, key + "accepted=1x"));
  CHECK_FALSE(valid(ControlKind::post, key + "accepted=1 "));
  CHECK_FALSE(valid(ControlKind::post, key));
  CHECK_FALSE(valid(ControlKind::post, "short"));
  CHECK_FALSE(valid(ControlKind::end, std::string(31, 'x')));
}

TEST_CASE("segment_format: names") {
  CHECK(segment_name(0x17) == "0000000000000017.seg");
  CHECK(segment_number("0000000000000017.seg") == 0x17);
  CHECK(segment_number(segment_name(UINT64_MAX)) == UINT64_MAX);
  for (const char* name : {"", "17.seg", "0000000000000017.SEG", "000000000000001G.seg",
                           "000000000000001A.seg", "0000000000000017.seg.bak", "+000000000000017.seg"})
    CHECK_FALSE(segment_number(name).has_value());
}
