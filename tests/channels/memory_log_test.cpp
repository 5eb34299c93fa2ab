#include "channels/memory_log.h"

#include <random>

#include "tests/channels/filtered_reader.h"
#include "tests/channels/log_fixture.h"
#include "tests/eventually.h"

using namespace tailrace;

TEST_CASE("an entry keeps every field and the bytes of the message") {
  LogFixture f;
  BatchSet set;
  NewRecord r;
  r.head = "2026-11-21T01:02:03.456789+00:00 h.example";
  r.time_size = 32;
  r.app = "heroku";
  r.ids = "router ID47";
  r.procid_size = 6;
  r.sd = "[a@1 b=\"c d\"]";
  const std::string message("at=info\0\xff path=\"/\"\n", 19);
  r.message = message;
  r.pri = 158;
  set.add(f.channel, r);
  Appended waiter;
  set.for_each(42, [&](Channel& c, const Batch& b) { c.log->append(b, waiter); });

  const History history = history_of(f.log(), 10);
  REQUIRE(history.slices.size() == 1);
  const Record record = *history.slices[0].begin();
  CHECK(record.text() ==
        "<158>1 2026-11-21T01:02:03.456789+00:00 h.example heroku router ID47 [a@1 b=\"c d\"] " + message);
  CHECK(record.time() == "2026-11-21T01:02:03.456789+00:00");
  CHECK(record.host() == "h.example");
  CHECK(record.app() == "heroku");
  CHECK(record.procid() == "router");
  CHECK(record.msgid() == "ID47");
  CHECK(record.structured_data() == "[a@1 b=\"c d\"]");
  CHECK(record.message() == message);
  CHECK(record.arrival() == 42);
  CHECK(record.facility() == 19);
  CHECK(record.severity() == 6);
}

TEST_CASE("positions are consecutive and never used twice") {
  LogFixture f;
  CHECK(f.append(numbered(0, 3)) == Position{1000});
  CHECK(f.append(numbered(3, 2)) == Position{1003});
  CHECK(f.append({"x"}) == Position{1005});
}

TEST_CASE("a cursor reads what comes after it, once, in order, whatever the portions") {
  for (const uint32_t portion : {1u, 100u, 1000u, 1u << 20}) {
    LogFixture f;
    Woken task;
    f.append(numbered(0, 5));
    Cursor cursor(Cursor::Kind::drain, f.loop.pass, task);
    cursor.attach(f.log());
    f.append(numbered(5, 700));
    f.append(numbered(705, 1));
    CHECK(drain_all(cursor, portion) == numbered(5, 701));
    CHECK(cursor.ledger().buffered == 701);
    CHECK(cursor.ledger().balanced());
    cursor.settle(700, 0);
    cursor.drop(DropReason::refused, 1);
    CHECK(cursor.ledger().delivered == 700);
    CHECK(cursor.ledger().buffered == 0);
    CHECK(cursor.ledger().balanced());
  }
}

TEST_CASE("a parked cursor is woken once per batch, one that reads is not") {
  LogFixture f;
  Woken task;
  Cursor cursor(Cursor::Kind::drain, f.loop.pass, task);
  cursor.attach(f.log());
  CHECK(cursor.park());
  f.append(numbered(0, 10));
  f.append(numbered(10, 10));
  f.loop.io.run();
  CHECK(task.runs == 1);
  CHECK_FALSE(cursor.park());
  CHECK(drain_all(cursor).size() == 20);
  f.append(numbered(20, 1));
  f.loop.io.restart();
  f.loop.io.run();
  CHECK(task.runs == 1);
  CHECK(drain_all(cursor).size() == 1);
  CHECK(cursor.park());
}

TEST_CASE("what a bound takes from a drain is a counted drop with its start; what is in flight stays") {
  LogFixture f({.history = 10, .bytes = 256 * 1024});
  Woken task;
  Cursor drain(Cursor::Kind::drain, f.loop.pass, task), quick(Cursor::Kind::drain, f.loop.pass, task);
  drain.attach(f.log());
  quick.attach(f.log());
  f.append(numbered(0, 100, 200), 5'000'000);
  const Read in_flight = drain.read(1 << 20);
  uint64_t sent = 100;
  for (int i = 0; i < 60; ++i, sent += 100) {
    f.append(numbered(int(sent), 100, 200), 6'000'000 + i);
    drain_all(quick);
  }
  const Loss loss = drain.take_loss();
  CHECK(loss.records > 0);
  CHECK(loss.reason == DropReason::overflow);
  CHECK(loss.since >= 6'000'000);
  CHECK(drain.take_loss().records == 0);
  CHECK(drain.ledger().dropped[size_t(DropReason::overflow)] == loss.records);
  CHECK(drain.ledger().balanced());
  CHECK(quick.ledger().dropped_total() == 0);
  CHECK(quick.ledger().balanced());
  CHECK(f.log().totals().bytes <= 256 * 1024);

  // The frozen batch is still readable, byte for byte.
  int n = 0;
  for (const Record r : in_flight.slice) CHECK(r.message().starts_with("m" + std::to_string(n++)));
  const uint64_t rest = drain_all(drain).size();
  CHECK(in_flight.slice.records + loss.records + rest == sent);
}

TEST_CASE("history stays although every cursor has read it, and goes when newer records fill it") {
  LogFixture f({.history = 100});
  Woken task;
  Cursor drain(Cursor::Kind::drain, f.loop.pass, task);
  drain.attach(f.log());
  for (int i = 0; i < 1000; i += 10) {
    f.append(numbered(i, 10, 300));
    drain.settle(drain_all(drain).size(), 0);
  }
  uint64_t records = 0;
  for (const Slice& slice : history_of(f.log(), 1000).slices) records += slice.records;
  CHECK(records == 100);
  CHECK(f.log().totals().bytes < 5 * kMaxChunk);
}

TEST_CASE("between history and follow there is no hole, under appends from another thread") {
  LogFixture f;
  constexpr int kRecords = 20'000;
  std::thread sender([&] {
    for (int i = 0; i < kRecords; i += 7) f.append(numbered(i, std::min(7, kRecords - i)));
  });
  for (int round = 0; round < 20; ++round) {
    Woken task;
    Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
    uint64_t history = tail.attach(f.log(), Place::newest(50));
    CHECK(history <= 50);
    Position next{0};
    bool live = false;
    for (int reads = 0; reads < 5 || !live; ++reads) {
      const Read read = tail.read(1 << 20);
      if (read.live != live) CHECK(history == 0);
      CHECK(read.live >= live);
      live = read.live;
      if (read.slice.empty()) continue;
      if (!live) history -= read.slice.records;
      if (next.value) CHECK(read.slice.first == next);
      next = read.slice.past();
    }
  }
  sender.join();
}

TEST_CASE("a cursor begins where it is put") {
  LogFixture f;
  Woken task;
  f.append(numbered(0, 40));
  const auto from = [&](const Place& place) {
    Cursor cursor(Cursor::Kind::tail, f.loop.pass, task);
    const uint64_t before = cursor.attach(f.log(), place);
    const std::vector<std::string> messages = drain_all(cursor);
    CHECK(messages.size() == before);
    CHECK(cursor.park());
    f.append({"live"});
    CHECK(drain_all(cursor) == std::vector<std::string>{"live"});
    return messages.empty() ? "nothing" : messages.front();
  };
  CHECK(from(Place::at_end()) == "nothing");
  CHECK(from(Place::newest(0)) == "nothing");
  CHECK(from(Place::newest(2)) == "live");
  f.append({"x"});
  CHECK(from(Place::newest(1)) == "x");
  CHECK(from(Place::newest(10)) == "m35");
  CHECK(from(Place::behind({1004})) == "m5");
  CHECK(from(Place::behind({1039})) == "live");
  CHECK(from(Place::newest(10, 43)) == "x");  // of ordinal 43
  CHECK(from(Place::newest(1, 3)) == "live");
  CHECK(from(Place::newest(10, 1000)) == "nothing");
  CHECK(from(Place::behind({0})) == "m0");
}

TEST_CASE("a number that this log has not given is told, and answered with all that is there") {
  LogFixture f;
  Woken task;
  f.append(numbered(0, 40));
  for (const uint64_t number : {7u, 998u, 1040u, 2'000'000u}) {
    CAPTURE(number);
    Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
    CHECK(tail.attach(f.log(), Place::behind({number})) == 40);
    const Loss loss = tail.read(1).loss;
    CHECK(loss.unknown);
    CHECK(loss.since > 0);
    CHECK(loss.records == 0);
    CHECK(drain_all(tail).size() == 39);
    const Read last = tail.read(1);
    CHECK_FALSE(last.loss.unknown);
    CHECK(last.next.value == 1040);
  }
  for (const uint64_t number : {0u, 999u, 1039u}) {
    CAPTURE(number);
    Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
    tail.attach(f.log(), Place::behind({number}));
    CHECK(tail.read(1).loss.empty());
    drain_all(tail);
    CHECK(tail.read(1).next.value == 1040);
  }
}

TEST_CASE("a place keeps what it stands before, up to the bytes that a cursor may lag, and is never woken") {
  LogFixture f({.history = 10, .bytes = 1024 * 1024});
  Woken task;
  auto tail = std::make_unique<Cursor>(Cursor::Kind::tail, f.loop.pass, task);
  tail->attach(f.log());
  f.append(numbered(0, 20, 500));
  CHECK(drain_all(*tail).size() == 20);
  tail->set_trail(5);  // the reader has not got the last five
  f.append(numbered(20, 40, 500));
  CHECK(drain_all(*tail).size() == 40);
  tail->set_trail(45);
  auto place = std::make_unique<Cursor>();
  place->keep_place(*tail);
  tail = nullptr;
  for (int i = 0; i < 15; ++i) f.append(numbered(60 + i * 100, 100, 500));
  const auto back = [&] {
    Cursor again(Cursor::Kind::tail, f.loop.pass, task);
    again.attach(f.log(), Place::behind({1014}));
    const Loss loss = again.take_loss();
    const std::vector<std::string> messages = drain_all(again);
    CHECK(messages.size() + loss.records == f.log().end().ordinal - 15);
    return loss.records;
  };
  CHECK(back() == 0);
  for (int i = 0; i < 10; ++i) f.append(numbered(1560 + i * 100, 100, 500));  // beyond the bytes
  CHECK(back() > 0);
  CHECK(task.runs == 0);
  place = nullptr;
  f.append(numbered(2560, 100, 500));
  CHECK(back() > 2300);  // nobody needs it any more
}

TEST_CASE("a tail that begins at what is gone begins with what is there, and is told how much is missing") {
  LogFixture f({.history = 10, .bytes = 256 * 1024});
  Woken task;
  for (int i = 0; i < 2000; i += 100) f.append(numbered(i, 100, 500));
  Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
  const uint64_t kept = tail.attach(f.log(), Place::behind({1099}));
  const Read read = tail.read(1);
  CHECK(kept < 1900);
  CHECK(read.loss.records == 1900 - kept);
  CHECK((*read.slice.begin()).message().starts_with("m" + std::to_string(2000 - kept) + "."));
}

TEST_CASE("a drain goes on with its account where it had come") {
  LogFixture f;
  Woken task;
  f.append(numbered(0, 20));
  Progress progress;
  progress.ordinal = 12;
  progress.counts.delivered = 7;
  progress.counts.filtered = 1;
  progress.counts.dropped[0] = 2;  // it began at 2
  Cursor drain(Cursor::Kind::drain, f.loop.pass, task, 9), ahead(Cursor::Kind::drain, f.loop.pass, task, 10);
  CHECK(drain.attach(f.log(), Place::resume(progress)) == 8);
  CHECK(drain.ledger().accepted == 18);
  CHECK(drain.ledger().balanced());
  CHECK(drain_all(drain) == numbered(12, 8));
  drain.settle(8, 0);
  CHECK(drain.ledger().delivered == 15);
  CHECK(drain.ledger().balanced());

  progress.ordinal = 30;  // further than this log
  CHECK(ahead.attach(f.log(), Place::resume(progress)) == 0);
  f.append({"x"});
  CHECK(drain_all(ahead) == std::vector<std::string>{"x"});
  CHECK(ahead.ledger().accepted == 11);
  CHECK(ahead.ledger().balanced());

  uint64_t accepted = 0;
  const auto lines = f.log().ledger(accepted);
  CHECK(accepted == 21);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].drain == 9);
  CHECK(lines[1].drain == 10);
}

TEST_CASE("notices lie between the records they came between, for tails only, and take no number") {
  LogFixture f;
  Woken task;
  Cursor tail(Cursor::Kind::tail, f.loop.pass, task), drain(Cursor::Kind::drain, f.loop.pass, task);
  f.log().add_notice("before anyone came");
  tail.attach(f.log());
  drain.attach(f.log());
  f.append({"a", "b"});
  f.log().add_notice("one");
  f.log().add_notice("two");
  f.append({"c"});
  CHECK(drain_all(tail) == std::vector<std::string>{"a", "b", "! one", "! two", "c"});
  CHECK(drain_all(drain) == std::vector<std::string>{"a", "b", "c"});
  CHECK(tail.park());
  f.log().add_notice("three");
  f.loop.io.run();
  CHECK(task.runs == 1);
  CHECK(drain_all(tail) == std::vector<std::string>{"! three"});
  CHECK(history_of(f.log(), 2).notices.size() == 3);
}

TEST_CASE("records go with age, and a removed channel takes none") {
  LogFixture f({.age = 1'000'000});
  Woken task;
  Cursor drain(Cursor::Kind::drain, f.loop.pass, task);
  drain.attach(f.log());
  f.append(numbered(0, 10), 5'000'000);
  f.log().expire(5'500'000);
  CHECK(drain.lag().records == 10);
  CHECK(drain.lag().oldest == 5'000'000);
  f.log().expire(6'500'000);
  CHECK(drain.lag().records == 0);
  CHECK(drain.take_loss().reason == DropReason::age);
  CHECK(drain.ledger().balanced());

  f.channel->removed = true;
  BatchSet set;
  NewRecord r;
  r.head = "- -", r.time_size = 1, r.ids = "- -", r.procid_size = 1;
  set.add(f.channel, r);
  Appended waiter;
  set.for_each(1, [&](Channel& c, const Batch& b) { c.log->append(b, waiter); });
  CHECK(waiter.first.has_error());
}

TEST_CASE("the process budget takes from the biggest log, counted") {
  MemoryStore store(
      {.limits = {.history = 1'000'000, .bytes = 1u << 30}, .budget = chunk_memory().used + (4u << 20)});
  Channel small, big;
  small.log = store.open(small);
  big.log = store.open(big);
  Loop loop;
  Woken task;
  Cursor of_small(Cursor::Kind::drain, loop.pass, task), of_big(Cursor::Kind::drain, loop.pass, task);
  of_small.attach(*small.log);
  of_big.attach(*big.log);
  const auto append = [](Channel& c, int n) {
    const ChannelPtr alias(&c, [](Channel*) {});
    BatchSet set;
    const std::string text(500, 'x');
    NewRecord r;
    r.head = "- -", r.time_size = 1, r.ids = "- -", r.procid_size = 1, r.message = text;
    for (int i = 0; i < n; ++i) set.add(alias, r);
    Appended waiter;
    set.for_each(wall_now(), [&](Channel& channel, const Batch& b) { channel.log->append(b, waiter); });
    return waiter.first.has_value();
  };
  uint64_t taken = 0;
  REQUIRE(append(small, 100));
  while (of_big.ledger().dropped_total() == 0) taken += append(big, 100) ? 100 : 0;
  CHECK(of_big.ledger().accepted == taken);
  CHECK(of_big.ledger().balanced());
  CHECK(of_small.ledger().dropped_total() == 0);
  of_small.detach();
  of_big.detach();
}

TEST_CASE("two threads append and one reads: nothing lost, nothing twice, each sender's order kept") {
  LogFixture f({.history = 1, .bytes = 1u << 30});
  Woken task;
  Cursor cursor(Cursor::Kind::drain, f.loop.pass, task);
  cursor.attach(f.log());
  constexpr int kEach = 20'000;
  const auto send = [&](char name) {
    for (int i = 0; i < kEach; i += 5) {
      std::vector<std::string> batch;
      for (int k = i; k < i + 5; ++k) batch.push_back(name + std::to_string(k));
      f.append(batch);
    }
  };
  std::thread a(send, 'a'), b(send, 'b');
  int next[2] = {0, 0};
  for (int got = 0; got < 2 * kEach;) {
    const Read read = cursor.read(4096);
    for (const Record record : read.slice) {
      const bool is_b = record.message()[0] == 'b';
      REQUIRE(record.message().substr(1) == std::to_string(next[is_b]++));
    }
    got += int(read.slice.records);
    cursor.settle(read.slice.records, 0);
    REQUIRE(cursor.ledger().balanced());
  }
  a.join();
  b.join();
  CHECK(cursor.park());
}

TEST_CASE("a tail of a removed channel is woken and does not park again") {
  LogFixture f;
  Woken task;
  Cursor tail(Cursor::Kind::tail, f.loop.pass, task);
  tail.attach(f.log());
  CHECK(tail.park());
  f.log().close();
  f.loop.io.run();
  CHECK(task.runs == 1);
  CHECK_FALSE(tail.park());
}

TEST_CASE("other limits while it runs: for logs that are there and those to come, counted as ever") {
  MemoryStore store({.limits = {.history = 1'000'000, .bytes = 64u << 20}});
  const auto channel = std::make_shared<Channel>();
  channel->log = store.open(*channel);
  Loop loop;
  Woken task;
  Cursor drain(Cursor::Kind::drain, loop.pass, task);
  drain.attach(*channel->log);
  append_messages(channel, numbered(0, 1000, 500), wall_now());
  CHECK(drain.ledger().buffered == 1000);
  store.set_limits({.log = {.history = 10, .bytes = 256 << 10}});
  CHECK(testing::eventually([&] { return channel->log->totals().bytes <= 256u << 10; }));
  const Ledger ledger = drain.ledger();
  CHECK(ledger.dropped[size_t(DropReason::overflow)] > 0);
  CHECK(ledger.balanced());
  drain.detach();
  CHECK(history_of(*channel->log, 1000).slices.size() > 0);

  const auto next = std::make_shared<Channel>();
  next->log = store.open(*next);
  Cursor other(Cursor::Kind::drain, loop.pass, task);
  other.attach(*next->log);
  append_messages(next, numbered(0, 1000, 500), wall_now());
  CHECK(other.ledger().dropped_total() > 0);
  store.set_limits({.log = {.history = 1'000'000, .bytes = 64u << 20}});
  const uint64_t dropped = other.ledger().dropped_total();
  append_messages(next, numbered(0, 1000, 500), wall_now());
  CHECK(other.ledger().dropped_total() == dropped);

  store.set_limits({.log = {.history = 1'000'000, .bytes = 64u << 20}, .memory_bytes = 16u << 10});
  CHECK(testing::eventually([&] { return other.ledger().dropped[size_t(DropReason::memory)] > 0; }));
  CHECK(other.ledger().balanced());
  other.detach();
}

namespace {

/// Wants messages of an even number; counts how often it is asked.
struct Counting final : RecordFilter {
  explicit Counting(double its_dearest) : its(its_dearest) {}
  bool wants(const Record& record) const override {
    const bool wanted = number_of_message(record.message()) % 2 == 0;
    ++asked;
    unwanted += !wanted;
    return wanted;
  }
  double dearest() const override { return its; }
  const double its;
  mutable uint64_t asked = 0, unwanted = 0;
};

struct FilteredDrain {
  FilteredDrain(LogFixture& f, double dearest) : filter(std::make_shared<Counting>(dearest)) {
    cursor.set_wanted(filter);
    cursor.attach(f.log());
  }
  Loop loop;
  Woken task;
  std::shared_ptr<Counting> filter;
  Cursor cursor{Cursor::Kind::drain, loop.pass, task, 7};
};

}  // namespace

TEST_CASE("what is given up is asked about as far as the filter's costs allow") {
  bool dear_was_asked = false;  // it may be out of time before, once
  for (int tries = 0; tries < 50 && !dear_was_asked; ++tries) {
    LogFixture f({.history = 0, .bytes = 100'000});
    FilteredDrain cheap(f, 5), dear(f, 100), too_dear(f, 1e7);
    constexpr int kRecords = 20'000;
    f.append(numbered(0, kRecords));
    const uint64_t gone = kRecords - cheap.cursor.ledger().buffered;
    REQUIRE(gone > kRecords / 2);
    for (const FilteredDrain* drain : {&cheap, &dear, &too_dear}) {
      const Ledger l = drain->cursor.ledger();
      CHECK(l.balanced());
      CHECK(l.accepted == kRecords);
      CHECK(l.buffered == kRecords - gone);
      CHECK(l.filtered == drain->filter->unwanted);
      CHECK(l.dropped_total() == gone - l.filtered);
    }
    CHECK(cheap.filter->asked == gone);
    dear_was_asked = dear.filter->asked > 0;
    CHECK(too_dear.filter->asked == 0);  // one record might take longer than all may together
  }
  CHECK(dear_was_asked);
}
