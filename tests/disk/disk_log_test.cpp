#include "channels/disk/disk_log.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fstream>

#include "tests/disk/disk_log_fixture.h"

using namespace tailrace;
using testing::eventually;

namespace {

constexpr uint64_t kSegment = 8 << 20;

std::vector<std::string> range(int from, int count, size_t size = 200) {
  return numbered(from, count, size);
}

/// The byte at which a message lies in the segments, and in which.
std::pair<std::string, uint64_t> find_on_disk(const SimpleKeeper& keeper, const std::string& text) {
  for (const std::string& name : list_dir(keeper.dir.path()).value()) {
    const auto bytes = file_bytes(keeper.dir / name);
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const size_t at = all.find(text);
    if (at != all.npos) return {keeper.dir / name, at};
  }
  FAIL("not on disk: " << text);
  return {};
}

void flip(const std::pair<std::string, uint64_t>& where) {
  std::fstream file(where.first, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(std::streamoff(where.second));
  const char byte = char(file.get() ^ 0x10);
  file.seekp(std::streamoff(where.second));
  file.put(byte);
}

bool rising(const std::vector<uint64_t>& numbers) {
  return std::ranges::adjacent_find(numbers, std::greater_equal<>()) == numbers.end();
}

}  // namespace

TEST_CASE("disk_log: a record is shown behind its sync, and not before (D1, D2)") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(3);
  DiskReader reader(channel, Place::at_end());
  DiskReader tail(channel, Place::at_end(), Cursor::Kind::tail);
  std::mutex gate;
  CountingWaiter waiter;
  {
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      if (step.kind == IoStep::Kind::sync) const std::lock_guard wait(gate);
      return 0;
    });
    {
      const std::lock_guard shut(gate);
      DiskLogs::append(channel, {"a", "b"}, waiter);
      CHECK(reader.cursor.read(1000).empty());
      CHECK(reader.cursor.park());
      CHECK(reader.cursor.ledger().accepted == 0);
      CHECK(channel->log->totals().accepted == 0);
      CHECK(waiter.calls == 0);
    }
    REQUIRE(eventually([&] {
      const std::lock_guard lock(waiter.mutex);
      return waiter.calls == 1;
    }));
  }
  CHECK(*waiter.first == logs.base);
  reader.read_until(2);
  tail.read_until(2);
  CHECK(reader.messages == std::vector<std::string>{"a", "b"});
  CHECK(tail.messages == reader.messages);
  CHECK(reader.cursor.ledger().delivered == 2);
}

TEST_CASE("disk_log: a cursor that lags out of memory reads all of it from disk, in order, once (D8)") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1), other = logs.open(2);
  DiskReader drain(channel, Place::at_end());
  DiskReader tail(channel, Place::at_end(), Cursor::Kind::tail);
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) {
    const auto messages = range(i * 100, 100);
    REQUIRE(DiskLogs::append(channel, messages).has_value());
    REQUIRE(DiskLogs::append(other, messages).has_value());
    all.insert(all.end(), messages.begin(), messages.end());
  }
  CHECK(DiskLogs::of(channel).memory() <= 3 * kMaxChunk);
  CHECK(drain.cursor.ledger().buffered == 4000);
  drain.read_until(4000);
  tail.read_until(4000);
  CHECK(drain.messages == all);
  CHECK(tail.messages == all);
  CHECK(rising(drain.numbers));
  CHECK(drain.cursor.ledger().balanced());
  CHECK(drain.cursor.ledger().delivered == 4000);
  CHECK(logs.reader.damaged() == 0);
}

TEST_CASE("disk_log: one that parked while the disk is asked is woken with what came") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader drain(channel, Place::at_end());
  for (int i = 0; i < 20; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  // Either it waits for the disk, or that was faster than we are.
  const Read read = drain.cursor.read(1000);
  REQUIRE(read.slice.empty());
  if (drain.cursor.park())
    CHECK(eventually([&] {
      drain.loop.io.restart();
      drain.loop.io.poll();
      return drain.task.runs > 0;
    }));
  CHECK_FALSE(drain.cursor.read(1000).slice.empty());
}

TEST_CASE("disk_log: a start goes on where each drain had come, with its account (D3, D9)") {
  SimpleKeeper keeper(kSegment);
  Progress stored;
  std::vector<uint64_t> numbers;
  {
    DiskLogs logs(keeper);
    const ChannelPtr channel = logs.open(5);
    DiskReader drain(channel, Place::at_end());
    for (int i = 0; i < 10; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
    Read first;
    REQUIRE(eventually([&] { return !(first = drain.cursor.read(20'000)).slice.empty(); }));
    REQUIRE(first.slice.records > 20);
    drain.cursor.settle(15, 0, kTestTime);
    CHECK(logs.moved.contains(channel));
    DiskLogs::of(channel).take_progress([&](uint64_t id, const Progress& p) {
      CHECK(id == 7);
      stored = p;
    });
    for (uint64_t i = 0; i < 15; ++i) numbers.push_back(first.slice.first.value + i);
    CHECK(stored.ordinal == 15);
    CHECK(stored.frozen == first.slice.past());
  }
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(5);
  CHECK(channel->log->totals().accepted == 1000);
  DiskReader drain(channel, Place::resume(stored));
  CHECK(drain.cursor.ledger().delivered == 15);
  CHECK(drain.cursor.ledger().buffered == 985);
  REQUIRE(DiskLogs::append(channel, range(1000, 100)).has_value());
  // The batch that was in flight ends where it ended.
  Read read;
  REQUIRE(eventually([&] { return !(read = drain.cursor.read(100'000)).slice.empty(); }));
  CHECK(read.slice.past() == stored.frozen);
  CHECK_FALSE(read.unfinished);
  for (const Record record : read.slice) drain.messages.emplace_back(record.message());
  for (uint64_t i = 0; i < read.slice.records; ++i) drain.numbers.push_back(read.slice.first.value + i);
  drain.cursor.settle(read.slice.records, 0);
  drain.read_until(1085);
  CHECK(drain.messages == range(15, 1085));
  numbers.insert(numbers.end(), drain.numbers.begin(), drain.numbers.end());
  CHECK(rising(numbers));
  CHECK(drain.cursor.ledger().delivered == 1100);
  CHECK(drain.cursor.ledger().balanced());
}

TEST_CASE("disk_log: a drain that goes leaves how far it came") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(0);
  {
    DiskReader drain(channel, Place::at_end());
    REQUIRE(DiskLogs::append(channel, {"x", "y"}).has_value());
    drain.read_until(2);
  }
  std::vector<Progress> left;
  DiskLogs::of(channel).take_progress([&](uint64_t, const Progress& p) { left.push_back(p); });
  REQUIRE(left.size() == 1);
  CHECK(left[0].ordinal == 2);
  CHECK(left[0].counts.delivered == 2);
}

TEST_CASE("disk_log: a group that failed is refused, seen by nobody, and its numbers are not used again") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader drain(channel, Place::at_end());
  REQUIRE(DiskLogs::append(channel, {"kept"}).has_value());
  {
    const ScopedHook hook(
        [&](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
    const auto refused = DiskLogs::append(channel, {"lost", "too"});
    CHECK(refused.error() == make_error_code(ChannelErrc::no_room));
  }
  CHECK_FALSE(logs.room.open());
  const auto after = DiskLogs::append(channel, {"later"});
  REQUIRE(after.has_value());
  CHECK(*after == Position{logs.base.value + 3});
  drain.read_until(2);
  CHECK(drain.messages == std::vector<std::string>{"kept", "later"});
  CHECK(drain.cursor.ledger().accepted == 2);
  CHECK(drain.cursor.ledger().balanced());
}

TEST_CASE("disk_log: damage costs the record it hit, told as damaged, once for all who wanted it (D7)") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader a(channel, Place::at_end()), b(channel, Place::at_end());
  for (int i = 0; i < 10; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  flip(find_on_disk(keeper, "m137."));
  flip(find_on_disk(keeper, "m0."));
  a.read_until(1000);
  b.read_until(1000);
  CHECK(a.cursor.ledger().dropped[size_t(DropReason::damaged)] == 2);
  CHECK(b.cursor.ledger().dropped[size_t(DropReason::damaged)] == 2);
  CHECK(logs.reader.damaged() == 2);
  CHECK(a.cursor.ledger().balanced());
  auto expected = range(1, 999);
  std::erase_if(expected, [](const std::string& m) { return m.starts_with("m137."); });
  CHECK(a.messages == expected);
}

TEST_CASE("disk_log: a tail comes back behind the number it read last, wherever that lies") {
  SimpleKeeper keeper(kSegment);
  Position of_500;
  {
    DiskLogs logs(keeper);
    const ChannelPtr channel = logs.open(1);
    for (int i = 0; i < 10; ++i) {
      const auto first = DiskLogs::append(channel, range(i * 100, 100));
      if (i == 5) of_500 = first.value();
    }
    DiskReader tail(channel, Place::behind(of_500), Cursor::Kind::tail);
    tail.read_until(499);
    CHECK(tail.messages == range(501, 499));
    DiskReader at_end(channel, Place::behind({of_500.value + 499}), Cursor::Kind::tail);
    CHECK(at_end.cursor.read(1000).empty());
  }
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  REQUIRE(DiskLogs::append(channel, range(1000, 50)).has_value());
  DiskReader tail(channel, Place::behind(of_500), Cursor::Kind::tail);
  tail.read_until(549);
  CHECK(tail.messages == range(501, 549));
  // Beyond the end, and before the beginning.
  DiskReader furthest(channel, Place::behind({UINT64_MAX}), Cursor::Kind::tail);
  CHECK(furthest.cursor.read(1000).loss.unknown);
  DiskReader beyond(channel, Place::behind({kPositionLimit - 2}), Cursor::Kind::tail);
  Read told;
  REQUIRE(eventually([&] {
    told = beyond.cursor.read(1000);
    return !told.empty();
  }));
  CHECK(told.loss.unknown);
  beyond.read_until(1050 - told.slice.records);
  DiskReader from_zero(channel, Place::behind({0}), Cursor::Kind::tail);
  REQUIRE(eventually([&] { return !from_zero.cursor.read(1000).slice.empty(); }));
  CHECK(tail.cursor.read(1000).empty());
}

TEST_CASE("disk_log: history is the newest records, from disk behind a start") {
  SimpleKeeper keeper(kSegment);
  {
    DiskLogs logs(keeper);
    const ChannelPtr channel = logs.open(1);
    for (int i = 0; i < 30; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  }
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader tail(channel, Place::newest(5000), Cursor::Kind::tail);
  tail.read_until(1500);
  CHECK(tail.messages == range(1500, 1500));
}

TEST_CASE("disk_log: who lags by more than the bound loses the oldest, counted, and again after a start") {
  SimpleKeeper keeper(kSegment);
  DiskLogOptions options{.limits = {.history = 10, .bytes = 256 * 1024}};
  Progress stored;
  DiskLog::Ends ends;
  uint64_t dropped = 0;
  {
    DiskLogs logs(keeper, options);
    const ChannelPtr channel = logs.open(1);
    DiskReader stuck(channel, Place::at_end());
    REQUIRE(DiskLogs::append(channel, range(0, 100)).has_value());
    REQUIRE_FALSE(stuck.cursor.read(5'000).slice.empty());
    for (int i = 1; i < 40; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
    const Ledger ledger = stuck.cursor.ledger();
    dropped = ledger.dropped_total();
    CHECK(dropped == ledger.dropped[size_t(DropReason::overflow)]);
    CHECK(dropped > 2000);
    CHECK(ledger.balanced());
    CHECK(DiskLogs::of(channel).live_bytes() <= options.limits.bytes + options.limits.bytes / 32);
    DiskLogs::of(channel).take_progress([&](uint64_t, const Progress& p) { stored = p; });
    ends = DiskLogs::of(channel).ends();
    CHECK(stored.counts.dropped_total() == 0);  // they lie behind the batch in flight
  }
  DiskLogs logs(keeper, options);
  const ChannelPtr channel = logs.open(1, ends.lost_for, ends.lost);
  DiskReader again(channel, Place::resume(stored));
  const Ledger ledger = again.cursor.ledger();
  CHECK(ledger.dropped[size_t(DropReason::overflow)] == ends.lost);  // the batch in flight went, too
  CHECK(ledger.dropped[size_t(DropReason::damaged)] == 0);
  CHECK(ledger.balanced());
  again.read_until(4000);
  CHECK(again.messages.back().starts_with("m3999."));
}

TEST_CASE(
    "disk_log: with TAILRACE_ACK=memory a failing disk refuses nothing, and what is kept is stored later") {
  SimpleKeeper keeper(kSegment);
  {
    DiskLogs logs(keeper, {.durable = false});
    const ChannelPtr channel = logs.open(1);
    DiskReader drain(channel, Place::at_end());
    {
      const ScopedHook hook(
          [&](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
      for (int i = 0; i < 10; ++i) CHECK(DiskLogs::append(channel, range(i * 100, 100)).has_value());
      drain.read_until(1000);
      REQUIRE(eventually([&] { return !logs.room.open(); }));
    }
    logs.commit->retry();
    REQUIRE(eventually([&] { return DiskLogs::of(channel).synced_end() == 1000; }));
    CHECK(drain.messages == range(0, 1000));
  }
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader tail(channel, Place::newest(1000), Cursor::Kind::tail);
  tail.read_until(1000);
  CHECK(tail.messages == range(0, 1000));
}

TEST_CASE("disk_log: a copy that lies behind newer records hides none of them") {
  SimpleKeeper keeper(kSegment);
  std::vector<Slice> first;
  {
    DiskLogs logs(keeper);
    const ChannelPtr channel = logs.open(0);
    REQUIRE(DiskLogs::append(channel, {"a", "b"}).has_value());
  }
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(0);
  REQUIRE(DiskLogs::append(channel, {"c", "d"}).has_value());
  // What the cleaner does with the first segment's.
  const Position number{logs.recovered.highest_number - 1};
  std::atomic<bool> done{false};
  logs.commit->copy({{{0, 0, make_slice(number.value, {"a", "b"})}}, {}, [&](Result<void>) { done = true; }});
  REQUIRE(eventually([&] { return done.load(); }));
  logs.segments.remove(*logs.segments.oldest());
  DiskReader one(channel, Place::resume({number, 0, {}, {}}));
  Read read;
  REQUIRE(eventually([&] { return !(read = one.cursor.read(1)).slice.empty(); }));
  REQUIRE(eventually([&] { return !(read = one.cursor.read(1)).slice.empty(); }));
  one.cursor.settle(2, 0);
  REQUIRE(DiskLogs::append(channel, range(0, 1000)).has_value());  // so that memory has forgotten c and d
  one.read_until(1002);
  CHECK(one.cursor.ledger().dropped_total() == 0);
  CHECK(one.messages[0] == "c");
}

TEST_CASE("disk_log: a disk that does not read for a moment costs time, and no record") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper);
  const ChannelPtr channel = logs.open(1);
  DiskReader drain(channel, Place::at_end());
  for (int i = 0; i < 10; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  std::atomic<int> failures{0};
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    return step.kind == IoStep::Kind::read && ++failures <= 3 ? EIO : 0;
  });
  drain.read_until(1000);
  CHECK(failures > 3);
  CHECK(drain.messages == range(0, 1000));
  CHECK(logs.reader.damaged() == 0);
}

TEST_CASE("disk_log: what comes behind the end of the group commit is refused") {
  SimpleKeeper keeper(kSegment);
  for (const bool durable : {true, false}) {
    DiskLogs logs(keeper, {.durable = durable});
    const ChannelPtr channel = logs.open(1);
    REQUIRE(DiskLogs::append(channel, {"a"}).has_value());
    const uint64_t accepted = channel->log->totals().accepted;
    logs.commit->stop();
    CHECK(DiskLogs::append(channel, {"b"}).error() == make_error_code(ChannelErrc::no_room));
    CHECK(channel->log->totals().accepted == accepted);
  }
}

TEST_CASE(
    "disk_log: what was delivered stays until room is asked for, and costs nobody a record when it goes") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper, {.limits = {.history = 10, .bytes = 1u << 30}});
  const ChannelPtr channel = logs.open(1);
  DiskReader drain(channel, Place::at_end());
  for (int i = 0; i < 5; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  drain.read_until(500);
  for (int i = 5; i < 10; ++i) REQUIRE(DiskLogs::append(channel, range(i * 100, 100)).has_value());
  DiskLog& log = DiskLogs::of(channel);
  CHECK(log.floor() == 0);
  const uint64_t live = log.live_bytes(), spare = log.spare_bytes();
  CHECK(spare > live * 4 / 10);
  CHECK(spare < live * 6 / 10);
  log.give_up_spare(spare / 2, kTestTime);
  CHECK(log.floor() > 200);
  CHECK(log.floor() < 300);
  log.give_up_spare(live, kTestTime);
  CHECK(log.floor() == 500);
  CHECK(log.spare_bytes() == 0);
  drain.read_until(1000);
  CHECK(drain.messages == range(0, 1000));
  CHECK(drain.cursor.ledger().dropped_total() == 0);
  log.give_up_spare(live, kTestTime);
  CHECK(log.floor() == 990);  // history
}
