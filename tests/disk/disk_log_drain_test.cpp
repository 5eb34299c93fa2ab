// A drain's place and account in a log on disk: it begins at a time, goes back, and loses what it wanted.

#include <doctest/doctest.h>

#include <random>

#include "tests/channels/filtered_reader.h"
#include "tests/disk/disk_log_fixture.h"

using namespace tailrace;
using testing::eventually;

namespace {

constexpr uint64_t kSegment = 256 << 10;

/// Everything that the drain has to give, or was doomed to lose, has come to its end.
void read_to_end(FilteredReader& reader, const Log& log) {
  REQUIRE(eventually([&] {
    while (reader.read(1 << 16));
    reader.settle(SIZE_MAX);
    return reader.cursor->ledger().buffered == 0 && log.end().ordinal > 0;
  }));
}

}  // namespace

TEST_CASE("disk_log: where a time begins, in memory and on disk, before and behind a start") {
  std::mt19937 random(5);
  SimpleKeeper keeper(kSegment);
  std::vector<Micros> arrivals;
  std::vector<uint64_t> numbers;
  Micros clock = kTestTime;
  for (int start = 0; start < 3; ++start) {
    CAPTURE(start);
    DiskLogs logs(keeper, {.ring_bytes = 16 * 1024});
    const ChannelPtr channel = logs.open(1), other = logs.open(2);
    for (int i = 0; i < 60; ++i) {
      clock += Micros(random() % 20) - 5;
      const int n = 1 + int(random() % 40);
      const auto first = DiskLogs::append(channel, numbered(int(arrivals.size()), n, 200), clock);
      REQUIRE(first.has_value());
      for (int k = 0; k < n; ++k) arrivals.push_back(clock), numbers.push_back(first->value + uint64_t(k));
      if (i % 3 == 0) REQUIRE(DiskLogs::append(other, numbered(0, 20), kTestTime + 900).has_value());
    }
    if (start == 2) DiskLogs::of(channel).lose_before(777, DropReason::disk, clock);
    const uint64_t oldest = start == 2 ? 777 : 0;
    for (Micros time = kTestTime - 20; time < clock + 50; time += 1 + Micros(random() % 30)) {
      uint64_t expected = oldest;
      while (expected < arrivals.size() && arrivals[expected] < time) ++expected;
      const auto found = channel->log->since(time).value();
      REQUIRE(found.ordinal == expected);
      if (expected < numbers.size()) REQUIRE(found.next.value == numbers[expected]);
    }
    const auto all = channel->log->since(0).value();
    CHECK(all.ordinal == oldest);
    DiskReader drain(channel, Place::resume(all));
    drain.read_until(arrivals.size() - oldest);
    CHECK(drain.messages == numbered(int(oldest), int(arrivals.size() - oldest), 200));
    CHECK(drain.cursor.ledger().dropped_total() == 0);
  }
}

TEST_CASE("disk_log: a drain that went back goes on there behind a start, with its account") {
  SimpleKeeper keeper(kSegment);
  Progress stored;
  {
    DiskLogs logs(keeper, {.ring_bytes = 16 * 1024});
    const ChannelPtr channel = logs.open(1);
    DiskReader first(channel, Place::at_end());
    for (int i = 0; i < 10; ++i) REQUIRE(DiskLogs::append(channel, numbered(i * 100, 100, 200)).has_value());
    first.read_until(1000);
    Cursor second(Cursor::Kind::drain, first.loop.pass, first.task, 7);
    const auto from = channel->log->since(0).value();
    CHECK(second.take_over(first.cursor, from) == 1000);
    CHECK(second.ledger().accepted == 2000);
    CHECK(second.ledger().delivered == 1000);
    CHECK(second.ledger().buffered == 1000);
    DiskLogs::of(channel).take_progress([&](uint64_t drain, const Progress& p) {
      CHECK(drain == 7);
      stored = p;
    });
    CHECK(stored.ordinal == 0);
  }
  DiskLogs logs(keeper, {.ring_bytes = 16 * 1024});
  const ChannelPtr channel = logs.open(1);
  DiskReader again(channel, Place::resume(stored));
  CHECK(again.cursor.ledger().balanced());
  CHECK(again.cursor.ledger().accepted == 2000);
  again.read_until(1000);
  CHECK(again.cursor.ledger().balanced());
  CHECK(again.cursor.ledger().delivered == 2000);
}

TEST_CASE("disk_log: what a bound takes on disk from a filtered drain is read for it, and then dead") {
  SimpleKeeper keeper(kSegment);
  DiskLogs logs(keeper, {.ring_bytes = 16 * 1024});
  const ChannelPtr channel = logs.open(1);
  DiskLog& log = DiskLogs::of(channel);
  FilteredReader reader(log, Place::at_end());
  for (int i = 0; i < 30; ++i) REQUIRE(DiskLogs::append(channel, numbered(i * 100, 100, 200)).has_value());
  REQUIRE(eventually([&] { return reader.read(1 << 16); }));
  const size_t flying = reader.flying.size();
  log.lose_before(1500, DropReason::disk, kTestTime);
  CHECK(log.floor() == 1500);
  CHECK(reader.cursor->ledger().balanced());
  REQUIRE(eventually([&] { return log.dead_below() == 1500; }));
  const Ledger l = reader.cursor->ledger();
  CHECK(l.balanced());
  CHECK(l.buffered == flying + 1500);
  CHECK(l.filtered + l.dropped[size_t(DropReason::disk)] == 1500 - flying);
  CHECK(reader.cursor->take_loss().records == l.dropped_total());
  read_to_end(reader, log);
  reader.check_closed(0, 3000);
}

TEST_CASE("disk_log: whatever bounds take from a filtered drain, dropped is what it wanted (random)") {
  for (const bool durable : {true, false})
    for (unsigned seed = 1; seed <= 25; ++seed) {
      CAPTURE(durable);
      CAPTURE(seed);
      std::mt19937 random(seed);
      SimpleKeeper keeper(kSegment);
      int sent = 0;
      Progress stored;
      std::vector<int> delivered;
      uint64_t lost = 0;
      DropReason lost_for = DropReason::overflow;
      for (int start = 0; start < 3; ++start) {
        DiskLogs logs(keeper,
                      {.limits = {.history = 1, .bytes = (durable ? 60'000 : 250'000) + random() % 200'000},
                       .durable = durable,
                       .ring_bytes = 4 * 1024 + random() % 40'000});
        const ChannelPtr channel = logs.open(1, lost_for, lost);
        DiskLog& log = DiskLogs::of(channel);
        FilteredReader reader(log, start ? Place::resume(stored) : Place::at_end());
        reader.delivered = delivered;
        for (int step = 0; step < 200; ++step) {
          switch (random() % 5) {
            case 0:
            case 1: {
              const int n = 1 + int(random() % 40);
              REQUIRE(DiskLogs::append(channel, numbered(sent, n, 40 + random() % 400)).has_value());
              sent += n;
              // What is told before it is synced may go before it is on disk; that cannot be read any more.
              REQUIRE(eventually([&] { return log.synced_end() == uint64_t(sent); }));
              break;
            }
            case 2:
              reader.read(uint32_t(random() % 20'000));
              break;
            case 3:
              reader.settle(random() % 100);
              break;
            case 4:
              if (random() % 6 == 0 && log.synced_end() > 0)
                log.lose_before(log.floor() + random() % (log.synced_end() - log.floor() + 1),
                                DropReason::disk, kTestTime);
          }
          REQUIRE(reader.cursor->ledger().balanced());
          REQUIRE(log.dead_below() <= log.floor());
        }
        if (start == 2) {
          read_to_end(reader, log);
          reader.check_closed(0, sent);
          CHECK(reader.cursor->ledger().dropped_total() > 0);
          CHECK(log.dead_below() == log.floor());
        }
        // A clean stop: nothing that was delivered comes again.
        delivered = reader.delivered;
        reader.cursor->detach();
        logs.commit->stop();
        log.take_progress([&](uint64_t /*drain*/, const Progress& p) { stored = p; });
        const DiskLog::Ends ends = log.ends();
        lost = ends.lost, lost_for = ends.lost_for;
      }
    }
}
