// A drain's place and account in a log in memory: it begins at a time, goes back, and loses what it wanted.

#include <doctest/doctest.h>

#include <random>

#include "tests/channels/filtered_reader.h"

using namespace tailrace;

namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

struct Drain {
  Drain(Log& log, const Place& place) : cursor(Cursor::Kind::drain, loop.pass, task, 7) {
    cursor.attach(log, place);
  }
  explicit Drain() : cursor(Cursor::Kind::drain, loop.pass, task, 7) {}
  Loop loop;
  Woken task;
  Cursor cursor;
};

}  // namespace

TEST_CASE("memory_log: where a time begins, also where the clock was set back") {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    LogFixture f({.history = 40, .bytes = 8'000});
    std::vector<Micros> arrivals;
    Micros clock = kNow;
    for (int i = 0; i < 60; ++i) {
      clock += Micros(random() % 20) - 4;
      const int n = 1 + int(random() % 3);
      f.append(numbered(int(arrivals.size()), n, 100), clock);
      arrivals.insert(arrivals.end(), size_t(n), clock);
    }
    const auto oldest = f.log().since(0).value();
    REQUIRE(oldest.ordinal > 0);  // some are gone
    for (Micros time = kNow - 50; time < kNow + 700; time += 1 + Micros(random() % 9)) {
      const auto found = f.log().since(time).value();
      uint64_t expected = oldest.ordinal;
      while (expected < arrivals.size() && arrivals[expected] < time) ++expected;
      REQUIRE(found.ordinal == expected);
      REQUIRE(found.next.value == 1000 + expected);
    }
    CHECK(f.log().since(kNow + 1'000'000).value().ordinal == f.log().end().ordinal);
    Drain drain(f.log(), Place::resume(oldest));
    CHECK(drain.cursor.ledger().accepted == arrivals.size() - oldest.ordinal);
    CHECK(drain_all(drain.cursor).size() == arrivals.size() - oldest.ordinal);
    CHECK(drain.cursor.ledger().dropped_total() == 0);
  }
}

TEST_CASE(
    "memory_log: a drain that goes back is accepted once more for what comes again, and loses nothing") {
  LogFixture f({.history = 1000, .bytes = 1u << 20});
  Drain first(f.log(), Place::at_end());
  f.append(numbered(0, 100), kNow);
  REQUIRE(drain_all(first.cursor).size() == 100);
  first.cursor.settle(60, 0);
  first.cursor.settle(0, 10);
  first.cursor.drop(DropReason::refused, 5);  // 25 are in flight
  f.append(numbered(100, 20), kNow + 1);
  CHECK(first.cursor.ledger().accepted == 120);

  Drain second;
  CHECK(second.cursor.take_over(first.cursor, f.log().since(kNow + 1).value()) == 0);
  CHECK_FALSE(second.cursor.attached());
  CHECK(first.cursor.attached());
  CHECK(second.cursor.take_over(first.cursor, {{1075}, 75, {}, {}}) == 0);  // it is there already
  CHECK(second.cursor.take_over(first.cursor, {{1080}, 80, {}, {}}) == 0);  // in flight

  CHECK(second.cursor.take_over(first.cursor, {{1030}, 30, {}, {}}) == 45);
  CHECK_FALSE(first.cursor.attached());
  const Ledger l = second.cursor.ledger();
  CHECK(l.balanced());
  CHECK(l.accepted == 120 + 45);
  CHECK(l.delivered == 60);
  CHECK(l.buffered == 90);
  CHECK(second.cursor.take_loss().records == 5);  // was not told yet
  CHECK(drain_all(second.cursor) == numbered(30, 90));
  second.cursor.settle(90, 0);
  CHECK(second.cursor.ledger().balanced());
  CHECK(second.cursor.ledger().delivered == 150);

  Drain third;
  CHECK(third.cursor.take_over(second.cursor, f.log().since(0).value()) == 120);
  CHECK(third.cursor.ledger().balanced());
  CHECK(third.cursor.ledger().accepted == 120 + 45 + 120);
  uint64_t accepted = 0;
  CHECK(f.log().ledger(accepted).size() == 1);
}

TEST_CASE("memory_log: a successor goes on where a drain stands, and what was in flight comes again") {
  LogFixture f({.history = 1000, .bytes = 1u << 20});
  Drain first(f.log(), Place::at_end());
  f.append(numbered(0, 100), kNow);
  CHECK(drain_all(first.cursor) == numbered(0, 100));
  first.cursor.settle(50, 10);
  first.cursor.drop(DropReason::refused, 5);  // 35 are in flight
  f.append(numbered(100, 20), kNow + 1);

  Drain second;
  second.cursor.succeed(first.cursor);
  CHECK_FALSE(first.cursor.attached());
  Ledger l = second.cursor.ledger();
  CHECK(l.balanced());
  CHECK(l.accepted == 120);
  CHECK(l.delivered == 50);
  CHECK(l.filtered == 10);
  CHECK(l.dropped_total() == 5);
  CHECK(l.buffered == 55);
  CHECK(second.cursor.take_loss().records == 5);  // was not told yet
  CHECK(drain_all(second.cursor) == numbered(65, 55));
  second.cursor.settle(55, 0);

  Drain third;  // with nothing in flight
  third.cursor.succeed(second.cursor);
  f.append(numbered(120, 3), kNow + 2);
  CHECK(drain_all(third.cursor) == numbered(120, 3));
  third.cursor.settle(3, 0);
  l = third.cursor.ledger();
  CHECK(l.balanced());
  CHECK(l.accepted == 123);
  CHECK(l.delivered == 108);
  uint64_t accepted = 0;
  CHECK(f.log().ledger(accepted).size() == 1);
}

TEST_CASE("memory_log: what only a drain's flight still holds is lost to its successor, with its count") {
  LogFixture f({.history = 1, .bytes = 4'000});
  Drain first(f.log(), Place::at_end());
  f.append(numbered(0, 10), kNow);
  CHECK(drain_all(first.cursor).size() == 10);
  first.cursor.settle(4, 0);
  f.append(numbered(10, 200, 100), kNow + 1);  // takes the place of what is in flight
  const uint64_t lost_before = first.cursor.take_loss().records;
  CHECK(lost_before > 0);

  Drain second;
  second.cursor.succeed(first.cursor);
  Ledger l = second.cursor.ledger();
  CHECK(l.balanced());
  CHECK(l.accepted == 210);
  CHECK(l.delivered == 4);
  CHECK(l.dropped_total() == lost_before + 6);
  CHECK(second.cursor.take_loss().records == 6);
  const uint64_t left = drain_all(second.cursor).size();
  CHECK(left == l.buffered);
  second.cursor.settle(left, 0);
  CHECK(second.cursor.ledger().balanced());
  CHECK(second.cursor.ledger().buffered == 0);
}

TEST_CASE("memory_log: what bounds take from a filtered drain is lost only where it wanted it") {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    LogFixture f({.history = 1, .bytes = 2'000 + random() % 6'000, .age = 1'000});
    FilteredReader reader(f.log(), Place::at_end());
    int sent = 0;
    Micros clock = kNow;
    for (int step = 0; step < 300; ++step) {
      switch (random() % 4) {
        case 0:
          f.append(numbered(sent, int(1 + random() % 9), 40 + random() % 200), clock);
          sent = int(f.log().end().ordinal);
          break;
        case 1:
          reader.read(uint32_t(random() % 3'000));
          break;
        case 2:
          reader.settle(random() % 20);
          break;
        case 3:
          if (random() % 8 == 0) static_cast<MemoryLog&>(f.log()).shrink();
          f.log().expire(clock += Micros(random() % 200));
      }
      REQUIRE(reader.cursor->ledger().balanced());
    }
    while (reader.read(1 << 20));
    reader.settle(SIZE_MAX);
    reader.check_closed(0, sent);
    CHECK(reader.cursor->ledger().dropped_total() > 0);
    const Loss loss = reader.cursor->take_loss();
    CHECK(loss.records == reader.cursor->ledger().dropped_total());
  }
}
