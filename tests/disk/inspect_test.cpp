#include "channels/disk/inspect.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "channels/disk/catalog_file.h"
#include "channels/disk/errc.h"
#include "channels/disk/lock_file.h"
#include "channels/disk/positions.h"
#include "channels/disk/sqlite_snapshot.h"
#include "tests/disk/data_dir.h"
#include "tests/eventually.h"

using namespace tailrace;

namespace {

using State = SegmentReport::State;

/// A data dir around what DataDir writes, with its databases as their owners make them.
struct Whole {
  explicit Whole(const DataDir& segments) {
    std::filesystem::create_directory_symlink(segments.dir(), root / "segments");
    with_catalog([&](CatalogFile& catalog) {
      catalog.set_data_dir(segments.data_dir).value();
      add_channel(catalog, 7, "1", "shop");
      add_channel(catalog, 9, "2", "other");
    });
  }
  static ChannelPtr channel(uint32_t index, std::string id) {
    auto made = std::make_shared<Channel>();
    made->index = index, made->id = std::move(id);
    return made;
  }
  static void add_channel(CatalogFile& catalog, uint32_t index, std::string id, std::string name) {
    const ChannelPtr made = channel(index, std::move(id));
    catalog
        .channel_changed({.channel = *made, .created = true, .name = std::move(name), .made = {}, .gone = {}})
        .value();
  }
  void with_catalog(const std::function<void(CatalogFile&)>& use) const {
    std::string error;
    const auto catalog = CatalogFile::open(root.path(), error);
    REQUIRE_MESSAGE(catalog, error);
    use(*catalog);
  }
  /// A drain that is so far; what lies below `lost` was taken by a bound.
  void drain(uint64_t ordinal, uint64_t lost = 0) const {
    if (!has_drain) {
      with_catalog([&](CatalogFile& catalog) {
        catalog.drain_added({3, "d.secret", "https://u:pw@host/", channel(7, "1"), {}}).value();
      });
      has_drain = true;
    }
    std::string error;
    const auto positions =
        Positions::open(root.path(), [&](auto& out) { out.push_back({3, {{}, ordinal, {}, {}}}); }, error);
    REQUIRE_MESSAGE(positions, error);
    positions->sync({{7, {ordinal, {}, lost, DropReason::disk}}}).value();
  }

  TempDir root;
  mutable bool has_drain = false;
};

Channels exported(const std::string& dir, DirReport* report = nullptr) {
  Channels all;
  auto result = inspect(dir, [&](uint32_t channel, const ChannelReport&, Position number, Record record) {
    all[channel].push_back({0, number.value, std::string(record.message())});
    return true;
  });
  REQUIRE(result.has_value());
  if (report) *report = *result;
  return all;
}

Channels without_ordinals(Channels all) {
  for (auto& [channel, records] : all)
    for (Known& k : records) k.ordinal = 0;
  return all;
}

/// Three segments, the last a head with two groups.
void fill(DataDir& dir, int segments = 3) {
  for (int segment = 0; segment < segments; ++segment) {
    dir.begin();
    REQUIRE(dir.group({{7, {"a", "bb"}}, {9, {"x"}}}, {{{uint8_t(segment)}, kTestTime, 3, ""}}));
    REQUIRE(dir.group({{9, {"yyyy"}}, {7, {"c"}}}));
    if (segment + 1 < segments) dir.seal();
  }
}

void damage(const std::string& path, uint64_t offset, std::string_view bytes) {
  File file = File::open_to_write(path).value();
  file.write(offset, std::as_bytes(std::span(bytes))).value();
}

/// Offset of the first entry with this message.
uint64_t find_message(const std::string& path, const std::string& message) {
  const auto bytes = file_bytes(path);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t at = text.find(" - - " + message);
  REQUIRE(at != text.npos);
  return at;
}

/// Names, sizes, times and bytes of everything.
std::string everything(const std::string& dir) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           dir, std::filesystem::directory_options::follow_directory_symlink)) {
    struct stat s;
    REQUIRE(::stat(entry.path().c_str(), &s) == 0);
    std::string line = entry.path().string() + " " + std::to_string(s.st_size) + " " +
                       std::to_string(s.st_mtim.tv_sec) + "." + std::to_string(s.st_mtim.tv_nsec) + " " +
                       std::to_string(s.st_ctim.tv_nsec);
    if (entry.is_regular_file()) {
      const auto bytes = file_bytes(entry.path().string());
      line += " " + std::to_string(std::hash<std::string_view>{}(
                        {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    }
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("inspect: a whole dir") {
  DataDir segments;
  fill(segments);
  segments.prepare();
  const Whole dir(segments);
  dir.drain(5);
  DirReport r;
  CHECK(exported(dir.root.path(), &r) == without_ordinals(segments.expected));
  CHECK(r.whole());
  CHECK(r.holder.empty());
  REQUIRE(r.segments.size() == 4);
  CHECK(r.segments[0].state == State::sealed);
  CHECK(r.segments[0].records == 5);
  CHECK(r.segments[0].posts == 1);
  CHECK(r.segments[0].groups == 2);
  CHECK(r.segments[0].oldest == kTestTime);
  CHECK(r.segments[2].state == State::open);
  CHECK(r.segments[3].state == State::prepared);
  REQUIRE(r.channels.size() == 2);
  const ChannelReport& shop = r.channels.at(7);
  CHECK(shop.id == "1");
  CHECK(shop.name == "shop");
  CHECK(shop.records == 9);
  CHECK(shop.missing == 0);
  REQUIRE(shop.ranges.size() == 1);
  CHECK(shop.ranges[0].last.value == 8);
  REQUIRE(r.drains.size() == 1);
  CHECK(r.drains[0].id == 3);
  CHECK(r.drains[0].stored);
  CHECK(r.drains[0].buffered == 4);
  CHECK(r.drains[0].missing == 0);
}

TEST_CASE("inspect: changes nothing, also where SQLite would, and knows who holds the dir") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  std::string error;
  const auto catalog = CatalogFile::open(dir.root.path(), error);  // a process that has it open
  REQUIRE(catalog);
  Whole::add_channel(*catalog, 11, "3", "in the WAL");
  const auto wait_for_copy = [&] {
    auto copy = read_snapshot(dir.root / "catalog.copy.db");
    const auto rows = copy ? read_catalog(*copy) : copy.error();
    return rows && rows->contents.channels.size() == 3;
  };
  REQUIRE(testing::eventually(wait_for_copy));
  LockFile lock;
  REQUIRE(lock.take(dir.root.path()).empty());
  const std::string before = everything(dir.root.path());
  DirReport r;
  exported(dir.root.path(), &r);
  CHECK(everything(dir.root.path()) == before);
  CHECK(r.channels.at(11).name == "in the WAL");
  CHECK(r.holder.starts_with("pid " + std::to_string(::getpid()) + " since "));
  CHECK(r.whole());
}

TEST_CASE("inspect: without its databases, with the records") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  std::ofstream(dir.root / "catalog.db", std::ios::trunc) << "gone";
  DirReport r;
  CHECK(exported(dir.root.path(), &r) == without_ordinals(segments.expected));
  CHECK(r.catalog == FileState::damaged);
  CHECK(r.from_copy);
  CHECK_FALSE(r.whole());
  CHECK_FALSE(r.losses());
  CHECK(r.channels.at(7).name == "shop");

  std::filesystem::remove(dir.root / "catalog.copy.db");
  CHECK(exported(dir.root.path(), &r) == without_ordinals(segments.expected));
  CHECK(r.channels.at(7).id.empty());
  CHECK(r.positions == FileState::missing);
  CHECK_FALSE(r.losses());
}

TEST_CASE("inspect: copies are read once, and the other one where a copy is damaged") {
  DataDir segments;
  fill(segments);
  segments.begin();
  // What a cleaner leaves behind when the process ends before it unlinks.
  REQUIRE(segments.write({{7, 0, make_slice(0, {"a", "bb", "c"})}, {9, 0, make_slice(0, {"x"})}}));
  REQUIRE(segments.group({{7, {"behind"}}}));
  const Whole dir(segments);
  DirReport r;
  CHECK(exported(dir.root.path(), &r) == without_ordinals(segments.expected));
  CHECK(r.whole());
  CHECK(r.channels.at(7).records == 10);
  CHECK(r.channels.at(7).ranges.size() == 1);
  damage(segments.path(4), find_message(segments.path(4), "bb"), "!");
  CHECK(exported(dir.root.path(), &r) == without_ordinals(segments.expected));
  CHECK_FALSE(r.whole());
}

TEST_CASE("inspect: a damaged record is named, counted and alone") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  dir.drain(0);
  for (const uint64_t segment : {1, 2, 3}) {
    CAPTURE(segment);
    const uint64_t at = find_message(segments.path(segment), "bb");
    damage(segments.path(segment), at, "!");
    DirReport r;
    const Channels found = exported(dir.root.path(), &r);
    CHECK(found.at(9).size() == 6);
    CHECK(found.at(7).size() == 8);
    CHECK(r.missing == 1);
    CHECK(r.channels.at(7).missing == 1);
    CHECK(r.channels.at(9).missing == 0);
    CHECK(r.drains.at(0).missing == 1);
    CHECK(r.drains.at(0).buffered == 8);
    CHECK(r.segments[segment - 1].missing == 1);
    CHECK(r.segments[segment - 1].damaged.size() == 1);
    CHECK_FALSE(r.segments[segment - 1].index_bad);
    CHECK_FALSE(r.whole());
    damage(segments.path(segment), at, " ");
    CHECK(inspect(dir.root.path()).value().whole());
  }
}

TEST_CASE("inspect: a segment that is gone, one without headers, one of another dir") {
  DataDir segments;
  fill(segments, 4);
  const Whole dir(segments);
  DirReport r;
  const auto two = file_bytes(segments.path(2));

  damage(segments.path(2), 20, "!");
  exported(dir.root.path(), &r);
  CHECK(r.segments[1].header_copy_bad);
  CHECK_FALSE(r.losses());
  damage(segments.path(2), 4096 + 20, "!");
  CHECK(exported(dir.root.path(), &r).at(7).size() == 9);
  CHECK(r.segments[1].state == State::unreadable);
  CHECK(r.missing == 6);  // five records and a POST's verdict
  CHECK(r.channels.at(7).missing == 3);
  CHECK(r.missing_segments == 0);

  REQUIRE(unlink_file(segments.path(2)));
  exported(dir.root.path(), &r);
  CHECK(r.missing_segments == 1);
  CHECK(r.missing == 6);
  CHECK(r.channels.at(9).missing == 2);
  CHECK(r.channels.at(9).ranges.size() == 2);

  auto foreign = two;
  SegmentHeader header = segments.header(2);
  header.data_dir = {9};
  write_header(header, std::span(foreign).first(kEntriesAt));
  File::create(segments.path(2)).value().write(0, foreign).value();
  CHECK(exported(dir.root.path(), &r).at(7).size() == 9);
  CHECK(r.segments[1].state == State::foreign);
  CHECK_FALSE(r.whole());
}

TEST_CASE("inspect: what was cleaned is not missing, unless a drain needs it") {
  DataDir segments;
  fill(segments, 4);
  REQUIRE(unlink_file(segments.path(1)));
  const Whole dir(segments);
  dir.drain(3);
  DirReport r;
  exported(dir.root.path(), &r);
  CHECK(r.whole());
  CHECK(r.channels.at(7).missing == 0);
  dir.drain(1);
  exported(dir.root.path(), &r);
  CHECK_FALSE(r.whole());
  CHECK(r.drains.at(0).missing == 2);
  CHECK(r.channels.at(7).missing == 2);
  dir.drain(1, 2);
  CHECK(inspect(dir.root.path()).value().drains.at(0).missing == 1);
  dir.drain(1, 3);
  CHECK(inspect(dir.root.path()).value().whole());
}

TEST_CASE("inspect: a group that was not finished is no damage") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  const uint64_t at = find_message(segments.path(3), "yyyy");
  // Everything from the middle of the last group's second entry on never came to the disk.
  File::open_to_write(segments.path(3)).value().truncate(at).value();
  File::open_to_write(segments.path(3)).value().truncate(1 << 20).value();
  DirReport r;
  exported(dir.root.path(), &r);
  CHECK(r.whole());
  CHECK(r.segments[2].torn.size() == 1);
}

TEST_CASE("inspect: whatever the bytes are, an answer that holds nothing that was not written") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  const Channels expected = without_ordinals(segments.expected);
  std::mt19937 random(4711);
  for (int round = 0; round < 200; ++round) {
    const uint64_t segment = 1 + random() % 3;
    const auto was = file_bytes(segments.path(segment));
    File file = File::open_to_write(segments.path(segment)).value();
    for (unsigned i = 0; i <= random() % 4; ++i) {
      const auto junk = std::byte(random());
      file.write(random() % std::min<size_t>(was.size(), 10'000), std::span(&junk, 1)).value();
    }
    if (random() % 8 == 0) file.truncate(random() % was.size()).value();
    for (const auto& [channel, records] : exported(dir.root.path()))
      for (const Known& record : records) REQUIRE(std::ranges::count(expected.at(channel), record) == 1);
    file.truncate(0).value();
    file.write(0, was).value();
  }
  CHECK(inspect(dir.root.path()).value().whole());
}

TEST_CASE("inspect: every flipped byte of the entries is damage, and costs one record at most") {
  DataDir segments;
  fill(segments);
  const Whole dir(segments);
  const auto was = file_bytes(segments.path(2));
  File file = File::open_to_write(segments.path(2)).value();
  const auto end = StoredIndex::open(File::open_to_read(segments.path(2)).value(), segments.header(2).salts);
  REQUIRE(end.has_value());
  for (uint64_t at = kEntriesAt; at < end->end().index_at; ++at) {
    CAPTURE(at);
    const std::byte flipped = was[at] ^ std::byte(1 << at % 8);
    file.write(at, std::span(&flipped, 1)).value();
    DirReport r;
    size_t records = 0;
    for (const auto& [channel, all] : exported(dir.root.path(), &r)) records += all.size();
    REQUIRE(records >= 14);
    REQUIRE_FALSE(r.whole());
    file.write(at, std::span(&was[at], 1)).value();
  }
}

TEST_CASE("inspect: what is no data dir") {
  const TempDir dir;
  CHECK(inspect(dir.path()).error() == DiskErrc::not_a_data_dir);
  CHECK(inspect(dir / "none").error() == boost::system::errc::no_such_file_or_directory);
  std::ofstream(dir / "file") << "text";
  CHECK(inspect(dir / "file").error() == DiskErrc::not_a_data_dir);
  std::filesystem::create_directory(dir / "segments");
  CHECK(inspect(dir.path()).has_value());
}
