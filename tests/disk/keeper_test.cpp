#include "channels/disk/keeper.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "tests/disk/kept_fixture.h"
#include "tests/eventually.h"

using namespace tailrace;
using testing::eventually;

namespace {

constexpr uint64_t kSegment = 64 * 1024;
constexpr Micros kAge = Micros{7} * 86400 * 1'000'000;

uint64_t bytes_of_dir(const std::string& dir) {
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    std::error_code gone;
    const auto size = file.file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

bool told(CountingWaiter& waiter) {
  const std::lock_guard lock(waiter.mutex);
  return waiter.calls == 1;
}

/// Keeper and group commit as the store joins them.
struct KeeperFixture {
  explicit KeeperFixture(uint64_t disk_bytes = 64 * kSegment, bool durable = true,
                         uint64_t memory_bytes = 1 << 30)
      : keeper({dir.path(),
                {1, 2, 3},
                segments,
                room,
                logs,
                {segments, logs, [this](Copies copies) { commit.copy(std::move(copies)); },
                 [this](const auto& ends) -> Result<void> {
                   const std::lock_guard lock(mutex);
                   for (const auto& [channel, end] : ends) stored_ends[channel] = end;
                   return {};
                 },
                 kAge},
                [this] { commit.retry(); },
                kSegment,
                disk_bytes,
                memory_bytes,
                1,
                [this] { return now.load(); },
                std::chrono::milliseconds(20)}),
        commit({room, nullptr, durable, [this] { return now.load(); }},
               {segments, [this](bool for_copies) { return keeper.take_prepared(for_copies); },
                [this](SegmentPtr s) { keeper.seal(std::move(s)); }},
               {0, 0, 1, kMarkStep}) {}
  ~KeeperFixture() { stop(); }

  void start() {
    keeper.start();
    (void)commit.start();
  }
  void stop() {
    commit.stop();
    keeper.stop();
  }

  /// Appends and waits for the verdict; what is refused is tried again, as a sender would.
  void append(uint32_t channel, const std::vector<std::string>& messages) {
    for (;;) {
      REQUIRE(eventually([&] { return room.open(); }));
      CountingWaiter waiter;
      logs[channel].append(commit, room, messages, waiter, now);
      REQUIRE(eventually([&] { return told(waiter); }));
      if (waiter.first) return;
      ++refused;
    }
  }
  void flood(uint32_t channel, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes; done += 10'000)
      append(channel, std::vector<std::string>(10, std::string(1000, 'f')));
  }

  RecoveryOptions options() const {
    RecoveryOptions o;
    o.segments_dir = dir.path();
    o.now = now;
    return o;
  }

  TempDir dir;
  std::atomic<Micros> now{kTestTime};
  Room room{1u << 30};
  SegmentSet segments;
  TestLogs logs;
  std::mutex mutex;
  std::map<uint32_t, uint64_t> stored_ends;
  uint64_t refused = 0;
  Keeper keeper;
  GroupCommit commit;
};

void check_all(KeeperFixture& f, const SegmentSet& segments, const std::vector<uint32_t>& channels) {
  for (const uint32_t channel : channels) {
    CAPTURE(channel);
    std::vector<Known> read = read_channel(segments, channel);
    std::erase_if(read, [&](const Known& k) { return k.ordinal < f.logs[channel].floor(); });
    CHECK(read == f.logs[channel].live());
  }
}

}  // namespace

TEST_CASE("keeper: two are ready before anything is written, and nothing of them is left behind") {
  KeeperFixture f;
  CHECK_FALSE(f.room.open());
  f.keeper.start();
  CHECK(f.room.open());
  CHECK(f.keeper.trouble().empty());
  CHECK(list_dir(f.dir.path()).value().size() == 2);
  const auto first = f.keeper.take_prepared(false);
  REQUIRE(first);
  CHECK(first->header.segment == 1);
  CHECK(first->header.data_dir == std::array<uint8_t, 16>{1, 2, 3});
  CHECK(first->header.capacity == kSegment);
  CHECK(first->header.created == kTestTime);
  const auto second = f.keeper.take_prepared(false);
  REQUIRE(second);
  CHECK(second->header.segment == 2);
  CHECK(first->header.salts.crc != second->header.salts.crc);
  CHECK(first->header.salts.seal != second->header.salts.seal);
  SegmentHeader header;
  CHECK(read_header(file_bytes(second->to_read.path()), header) == HeaderFault::none);
  CHECK(header.salts.crc == second->header.salts.crc);
  f.keeper.stop();
  CHECK_FALSE(f.room.open());
  CHECK_FALSE(f.keeper.take_prepared(true));
  CHECK(list_dir(f.dir.path()).value().size() == 2);  // the two that were taken
}

TEST_CASE("keeper: segment_bytes_for leaves room for sixteen") {
  CHECK(segment_bytes_for(uint64_t{10} << 30) == kSegmentBytes);
  CHECK(segment_bytes_for(uint64_t{1} << 30) == kSegmentBytes);
  CHECK(segment_bytes_for((uint64_t{1} << 30) - 1) == kSegmentBytes - 4096);
  CHECK(segment_bytes_for(100'000'000) % 4096 == 0);
  CHECK(segment_bytes_for(100'000'000) <= 100'000'000 / 16);
  CHECK(segment_bytes_for(5) == 1 << 20);
}

TEST_CASE("keeper: what is full is sealed, also at the stop, and its index is used") {
  KeeperFixture f;
  f.start();
  f.flood(9, 5 * kSegment);
  f.append(7, {"last"});
  f.stop();
  for (const SegmentPtr& s : f.segments.all()) {
    CHECK(s->index);
    CHECK(s->bytes == std::filesystem::file_size(s->file.path()));
  }
  CHECK(f.segments.count() >= 5);
  CHECK(list_dir(f.dir.path()).value().size() == f.segments.count());
  const Started started(f.options());
  CHECK(started.recovered.unsealed.empty());
  check_all(f, started.segments, {7, 9});
}

TEST_CASE("keeper: a full disk is said, and tried again until there is room") {
  KeeperFixture f;
  std::atomic<bool> full{true};
  const ScopedHook hook(
      [&](const IoStep& step, size_t&) { return full && step.kind == IoStep::Kind::allocate ? ENOSPC : 0; });
  SUBCASE("at the start") {
    f.start();
  }
  SUBCASE("later") {
    full = false;
    f.start();
    f.append(7, {"before"});
    full = true;
    CountingWaiter waiters[100];
    for (CountingWaiter& w : waiters)
      f.logs[9].append(f.commit, f.room, std::vector<std::string>(10, std::string(1000, 'f')), w);
    REQUIRE(eventually([&] { return !f.room.open(); }));
    REQUIRE(eventually([&] { return told(waiters[99]); }));
  }
  REQUIRE(
      eventually([&] { return f.keeper.trouble() == "cannot prepare a segment: No space left on device"; }));
  CHECK_FALSE(f.room.open());
  CHECK_FALSE(f.keeper.take_prepared(false));
  full = false;
  REQUIRE(eventually([&] { return f.room.open(); }));
  CHECK(f.keeper.trouble().empty());
  f.append(7, {"after"});
  f.flood(9, 2 * kSegment);
  f.stop();
  const Started started(f.options());
  check_all(f, started.segments, {7, 9});
  CHECK(f.logs[7].live().back().message == "after");
}

TEST_CASE("keeper: what was told before it was stored waits for room, and is stored by itself then") {
  KeeperFixture f(64 * kSegment, false);
  std::atomic<bool> full{false}, refused_twice{false};
  std::atomic<int> prepared{0};
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    prepared += step.kind == IoStep::Kind::sync_dir;
    if (!full || step.kind != IoStep::Kind::write) return 0;
    if (step.offset == kEntriesAt) refused_twice = true;  // the group, in its second segment
    return ENOSPC;
  });
  f.start();
  f.append(7, {"before"});
  REQUIRE(eventually([&] { return prepared == 3; }));
  full = true;
  CountingWaiter waiter;
  f.logs[7].append(f.commit, f.room, {"meanwhile"}, waiter);
  REQUIRE(eventually([&] { return refused_twice.load(); }));
  REQUIRE(eventually([&] { return !f.room.open(); }));
  CHECK_FALSE(told(waiter));
  full = false;
  REQUIRE(eventually([&] { return told(waiter); }));
  f.stop();
  const Started started(f.options());
  check_all(f, started.segments, {7});
  CHECK(f.logs[7].live().size() == 2);
}

TEST_CASE(
    "keeper: whatever the disk refuses for a while, what was acknowledged is there, and it recovers (D1)") {
  for (const int kind : {0, 1, 2, 3, 4, 5, 6}) {
    CAPTURE(kind);
    constexpr IoStep::Kind kinds[] = {IoStep::Kind::create,  IoStep::Kind::allocate, IoStep::Kind::write,
                                      IoStep::Kind::sync,    IoStep::Kind::truncate, IoStep::Kind::unlink,
                                      IoStep::Kind::sync_dir};
    KeeperFixture f(16 * kSegment);
    std::atomic<int> failing{0};
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      return step.kind == kinds[kind] && failing.load() > 0 && failing.fetch_sub(1) > 0 ? ENOSPC : 0;
    });
    f.start();
    f.append(7, {"quiet"});
    for (int round = 0; round < 4; ++round) {
      f.flood(9, 4 * kSegment);
      f.logs[9].move_floor(f.logs[9].synced_end());
      failing = 1 + round * 3;
      f.flood(9, 2 * kSegment);
    }
    failing = 0;
    f.append(7, {"still here"});
    REQUIRE(eventually([&] { return f.keeper.trouble().empty(); }));
    check_all(f, f.segments, {7, 9});
    f.stop();
    for (const SegmentPtr& segment : f.segments.all()) CHECK(segment->index);
    const Started started(f.options());
    check_all(f, started.segments, {7, 9});
    CHECK(started.recovered.loss.missing_entries == 0);
    CHECK(started.recovered.loss.damaged_stretches == 0);
  }
}

TEST_CASE("keeper: a flood stays within the disk's bound, and it is the flood that pays (D11)") {
  for (const bool durable : {true, false}) {
    CAPTURE(durable);
    constexpr uint64_t bound = 16 * kSegment;
    KeeperFixture f(bound, durable);
    std::atomic<uint64_t> most{0};
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      if (step.kind == IoStep::Kind::sync_dir) most = std::max(most.load(), bytes_of_dir(f.dir.path()));
      return 0;
    });
    f.start();
    f.append(7, {"unread"});
    for (int i = 0; i < 10; ++i) {
      f.append(8, {"slow " + std::to_string(i)});
      f.flood(9, 8 * kSegment);
    }
    CHECK(most <= bound + 2 * kSegment);
    CHECK(most > bound / 2);
    CHECK(f.logs[7].dropped() == std::array<uint64_t, 6>{});
    CHECK(f.logs[8].dropped() == std::array<uint64_t, 6>{});
    const auto lost = f.logs[9].dropped();
    CHECK(lost[size_t(DropReason::disk)] > 0);
    CHECK(lost[size_t(DropReason::disk)] == f.logs[9].floor());
    CHECK(f.logs[9].live_bytes() > bound / 3);  // no more than must be
    CHECK(f.refused == 0);
    check_all(f, f.segments, {7, 8, 9});
    f.stop();
    const Started started(f.options());
    check_all(f, started.segments, {7, 8, 9});
    CHECK(started.recovered.channels[9].end_ordinal == f.logs[9].synced_end());
  }
}

TEST_CASE("keeper: many who read nothing share the bound, whatever their logs believe") {
  for (const double believes : {1.0, 0.6}) {
    CAPTURE(believes);
    constexpr uint64_t bound = 16 * kSegment;
    KeeperFixture f(bound);
    for (uint32_t channel = 1; channel <= 20; ++channel) f.logs[channel].believes = believes;
    f.start();
    for (int round = 0; round < 15; ++round)
      for (uint32_t channel = 1; channel <= 20; ++channel) f.flood(channel, 10'000);
    uint64_t live = 0;
    for (uint32_t channel = 1; channel <= 20; ++channel)
      live += uint64_t(double(f.logs[channel].live_bytes()) / believes);
    CHECK(live <= bound);
    CHECK(live > bound / 4);
    CHECK(bytes_of_dir(f.dir.path()) <= bound + 2 * kSegment);
    std::vector<uint32_t> all;
    for (uint32_t channel = 1; channel <= 20; ++channel) all.push_back(channel);
    f.stop();
    const Started started(f.options());
    check_all(f, started.segments, all);
  }
}

TEST_CASE("keeper: segments of a channel that was removed go, without one being filled") {
  KeeperFixture f;
  f.start();
  f.flood(9, 5 * kSegment);
  REQUIRE(f.segments.count() >= 5);
  f.logs.remove(9, true);
  f.now += 61'000'000;
  REQUIRE(eventually([&] { return f.segments.count() <= 1; }));
}

TEST_CASE("keeper: records go when they are too old, also those that lie on disk alone") {
  KeeperFixture f;
  f.start();
  f.append(7, {"old"});
  f.flood(9, 2 * kSegment);
  f.now += kAge - 1'000'000;
  f.append(8, {"young"});
  f.flood(9, 2 * kSegment);
  const uint64_t quiet = f.logs[7].synced_end();
  f.now += 2'000'000 + 60'000'000;
  REQUIRE(eventually([&] { return f.logs[7].floor() == quiet; }));
  CHECK(f.logs[7].dropped()[size_t(DropReason::age)] == 1);
  CHECK(f.logs[8].floor() == 0);
  CHECK(f.logs[7].expired > 0);
  REQUIRE(eventually([&] { return f.segments.oldest()->header.segment > 2; }));
  check_all(f, f.segments, {7, 8, 9});
}

TEST_CASE("keeper: over the bound of memory the biggest forget, until it holds") {
  const uint64_t before = chunk_memory().used;
  KeeperFixture f(64 * kSegment, true, before + (2 << 20));
  for (int i = 0; i < 48; ++i) f.logs[9].memory_chunks.push_back(Chunk::make(kMaxChunk, {1}));
  for (int i = 0; i < 4; ++i) f.logs[7].memory_chunks.push_back(Chunk::make(kMaxChunk, {1}));
  f.start();
  REQUIRE(eventually([&] { return chunk_memory().used <= before + (2 << 20); }));
  f.stop();
  CHECK(f.logs[7].memory_chunks.size() == 4);
  CHECK(f.logs[9].memory_chunks.size() >= 20);
}

TEST_CASE("keeper: quiet logs are left alone; nobody's lock is taken each second") {
  KeeperFixture f;
  f.start();
  for (uint32_t channel = 1; channel <= 100; ++channel) f.append(channel, {"x"});
  REQUIRE(eventually([&] { return f.logs.passes > 0; }));
  const int before = f.logs.passes;
  f.flood(9, 10 * kSegment);
  f.stop();
  CHECK(f.logs.passes == before);
}

TEST_CASE("keeper: the last that is prepared is for copies") {
  KeeperFixture f;
  f.keeper.start();
  const ScopedHook hook(
      [&](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::allocate ? ENOSPC : 0; });
  REQUIRE(f.keeper.take_prepared(false));
  CHECK_FALSE(f.keeper.take_prepared(false));
  CHECK_FALSE(f.room.open());
  CHECK(f.keeper.take_prepared(true));
  CHECK_FALSE(f.keeper.take_prepared(true));
}

TEST_CASE("keeper: beyond the bound are two at most, for what was read before Room was full") {
  constexpr uint64_t bound = 20 * kSegment;
  KeeperFixture f(bound);
  File::create(f.dir / "others").value().truncate(18 * kSegment).value();
  f.keeper.start();
  const auto take = [&](bool for_copies) {
    const auto prepared = f.keeper.take_prepared(for_copies);
    if (!prepared) return false;
    auto segment = std::make_shared<Segment>();
    segment->header = prepared->header;
    segment->growing = std::make_unique<IndexBuilder>();
    segment->bytes = kSegment;
    f.segments.add(std::move(segment));
    return true;
  };
  CHECK(f.room.open());
  CHECK(take(false));
  CHECK(take(false));
  REQUIRE(eventually([&] { return !f.room.open(); }));
  CHECK(take(false));
  CHECK(bytes_of_dir(f.dir.path()) == bound + 2 * kSegment);
  CHECK_FALSE(take(false));
  CHECK_FALSE(f.room.open());
  CHECK(take(true));
  CHECK_FALSE(take(true));
  CHECK(bytes_of_dir(f.dir.path()) == bound + 2 * kSegment);
}

TEST_CASE("keeper: files of others count, and nothing is prepared beyond the bound but for a start") {
  KeeperFixture f(20 * kSegment);
  const std::string others = f.dir / "0000000000000000.old";
  File::create(others).value().truncate(18 * kSegment).value();
  f.start();  // takes one of the two
  REQUIRE(eventually([&] { return !f.room.open(); }));
  CHECK(f.keeper.trouble() == "cannot prepare a segment: TAILRACE_DISK_BYTES is used up");
  CHECK(bytes_of_dir(f.dir.path()) == 20 * kSegment);
  std::filesystem::remove(others);
  f.now += 61'000'000;
  REQUIRE(eventually([&] { return f.room.open(); }));
  f.flood(9, 4 * kSegment);
  check_all(f, f.segments, {9});
}
