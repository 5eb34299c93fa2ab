#include "channels/readers.h"

#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>

#include "base/loops.h"

using namespace tailrace;

namespace {

struct Counting final : Task {
  void run_task() override { ++runs; }
  int runs = 0;
};

enum class Fate : uint8_t { unread, flying, delivered, filtered, dropped };

/// A drain, and what became of each record since its start.
struct Drain {
  Drain(Pass& pass, uint64_t id, uint64_t from) : state(CursorKind::drain, pass, task, id), begin(from) {}
  Counting task;
  CursorState state;
  uint64_t begin;
  std::map<uint64_t, Fate> fates;  // by ordinal
  Drops drops{};
  Progress stored;
  Position frozen;  // when it was started again

  uint64_t count(Fate fate) const {
    return uint64_t(std::ranges::count_if(fates, [&](const auto& f) { return f.second == fate; }));
  }
  uint64_t oldest() const {
    for (const auto& [ordinal, fate] : fates)
      if (fate <= Fate::flying) return ordinal;
    return begin + fates.size();
  }
};
using DrainPtr = std::unique_ptr<Drain>;

/// Records of `size` bytes without text, which arrived at their ordinal + 1.
ChunkRef chunk_of(uint32_t records, uint64_t number, uint64_t ordinal) {
  ChunkRef chunk = Chunk::make(kMinChunk, {number}, ordinal);
  for (; chunk->count < records; ++chunk->count, chunk->end += sizeof(EntryHeader)) {
    EntryHeader header;
    header.arrival = Micros(ordinal + chunk->count + 1);
    std::memcpy(chunk->data() + chunk->end, &header, sizeof header);
  }
  return chunk;
}

/// A log of empty records, numbered with gaps, with drains that come, read, settle and start again.
struct Model {
  explicit Model(unsigned seed) : random(seed) {}

  uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random); }
  uint64_t begin() const { return chunks.empty() ? numbers.size() : chunks.front()->ordinal; }

  void append() {
    const uint64_t number = (numbers.empty() ? 1000 : numbers.back() + 1) + (below(4) ? 0 : below(5));
    chunks.push_back(chunk_of(uint32_t(1 + below(16)), number, numbers.size()));
    for (uint64_t i = 0; i < chunks.back()->count; ++i) {
      for (const DrainPtr& drain : drains) drain->fates[numbers.size()] = Fate::unread;
      numbers.push_back(number + i);
    }
    all.wake(/*tails_only=*/false);
  }
  void arrive() {
    drains.push_back(std::make_unique<Drain>(loop.pass, drains.size() + 1, numbers.size()));
    drains.back()->stored.ordinal = numbers.size();
    all.add(drains.back()->state, numbers.size(), {}, numbers.size());
  }
  void lose(Drain& drain, DropReason reason) {
    for (auto& [ordinal, fate] : drain.fates)
      if (ordinal < begin() && fate == Fate::unread) fate = Fate::dropped, ++drain.drops[size_t(reason)];
  }
  void evict() {
    if (chunks.empty()) return;
    chunks.pop_front();
    const auto reason = DropReason(below(kDropReasons.size()));
    for (const DrainPtr& drain : drains) lose(*drain, reason);
    all.lose_before(begin(), reason, 5);
  }
  void read(Drain& drain) {
    CursorState& cursor = drain.state;
    const auto chunk = std::ranges::find_if(chunks, [&](const auto& c) { return c->holds(cursor.ordinal); });
    if (chunk == chunks.end()) {
      REQUIRE(cursor.ordinal == numbers.size());
      cursor.parked = true;
      return;
    }
    if (!below(4)) cursor.at = {};
    Readers::stand_in(cursor, *chunk);
    REQUIRE(cursor.at_bytes == (*chunk)->offset_of(cursor.ordinal));
    const Slice slice = cut(cursor.at, cursor.ordinal, cursor.at_bytes, UINT64_MAX, uint32_t(below(400)));
    for (uint64_t i = 0; i < slice.records; ++i) drain.fates[cursor.ordinal + i] = Fate::flying;
    all.took(cursor, slice);
  }
  void settle(Drain& drain) {
    const uint64_t flying = drain.count(Fate::flying);
    if (!flying) return;
    const uint64_t records = 1 + below(flying);
    const auto fate = Fate(uint64_t(Fate::delivered) + below(3));
    uint64_t left = records;
    Micros oldest_left = 0;
    for (auto& [ordinal, f] : drain.fates)
      if (f == Fate::flying) {
        if (!left) {
          oldest_left = Micros(ordinal + 1);
          break;
        }
        f = fate, --left;
      }
    if (fate == Fate::delivered) {
      all.settled(drain.state, records, 0, oldest_left);
    } else if (fate == Fate::filtered) {
      all.settled(drain.state, 0, records, oldest_left);
    } else {
      all.dropped(drain.state, DropReason::refused, records, oldest_left, 5);
      drain.drops[size_t(DropReason::refused)] += records;
    }
  }
  /// What was not stored is forgotten; what had not come to its end when it was stored is met again.
  void restart(DrainPtr& drain) {
    store();
    const Progress stored = drain->stored;
    auto again = std::make_unique<Drain>(loop.pass, drain->state.drain, drain->begin);
    again->fates = drain->fates;
    for (auto& [ordinal, fate] : again->fates)
      if (ordinal >= stored.ordinal) fate = Fate::unread;
    again->drops = stored.counts.dropped;
    again->stored = stored;
    again->frozen = stored.frozen;
    all.remove(drain->state);
    loop.pass.forget(drain->task);
    drain = std::move(again);
    all.resume(drain->state, stored, numbers.size());
    lose(*drain, DropReason::age);
    all.lose(drain->state, begin(), DropReason::age, 5);
  }
  void store() {
    all.take_progress([&](uint64_t id, const Progress& progress) { drains.at(id - 1)->stored = progress; });
    all.take_progress([](uint64_t, const Progress&) { FAIL("nothing moved meanwhile"); });
    for (const DrainPtr& drain : drains) {
      const Progress& p = drain->stored;
      REQUIRE(p.ordinal == drain->oldest());
      if (p.ordinal < numbers.size()) REQUIRE(p.next.value <= numbers[p.ordinal]);
      if (p.ordinal > std::max(drain->begin, begin())) REQUIRE(p.next.value > numbers[p.ordinal - 1]);
      Position frozen = drain->frozen;
      for (const auto& [ordinal, fate] : drain->fates)
        if (fate == Fate::flying) frozen = std::max(frozen, {numbers[ordinal] + 1});
      if (frozen <= p.next) frozen = {};
      REQUIRE(p.frozen == frozen);
      REQUIRE(p.counts.delivered + p.counts.filtered + p.counts.dropped_total() == p.ordinal - drain->begin);
    }
  }

  void check() const {
    uint64_t lowest = UINT64_MAX;
    for (const DrainPtr& drain : drains) {
      const Ledger ledger = all.ledger(drain->state, numbers.size());
      REQUIRE(ledger.balanced());
      REQUIRE(ledger.accepted == drain->fates.size());
      REQUIRE(ledger.delivered == drain->count(Fate::delivered));
      REQUIRE(ledger.filtered == drain->count(Fate::filtered));
      REQUIRE(ledger.dropped == drain->drops);
      REQUIRE(ledger.dropped_total() == drain->count(Fate::dropped));
      REQUIRE(ledger.buffered == drain->count(Fate::unread) + drain->count(Fate::flying));
      lowest = std::min(lowest, drain->oldest());
    }
    REQUIRE(all.lowest() == lowest);
  }

  std::mt19937 random;
  Loop loop;
  Readers all;
  std::vector<DrainPtr> drains;  // the one with id n at n - 1
  std::deque<ChunkRef> chunks;
  std::vector<uint64_t> numbers;  // by ordinal
};

/// A cursor of its own for the cases below.
struct One {
  explicit One(CursorKind kind) : state(kind, loop.pass, task, 1) {}
  int runs() {
    loop.io.restart();
    loop.io.run();
    return task.runs;
  }
  Loop loop;
  Counting task;
  CursorState state;
  Readers all;
};

}  // namespace

TEST_CASE("the account of every drain adds up after every step, losses and restarts included") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    Model model(seed);
    for (int step = 0; step < 400; ++step) {
      const uint64_t what = model.below(20);
      if (model.drains.empty() || (what == 0 && model.drains.size() < 5)) {
        model.arrive();
        continue;
      }
      DrainPtr& drain = model.drains[model.below(model.drains.size())];
      if (what < 5)
        model.append();
      else if (what < 8)
        model.evict();
      else if (what < 13)
        model.read(*drain);
      else if (what < 18)
        model.settle(*drain);
      else if (what < 19)
        model.store();
      else
        model.restart(drain);
      model.check();
    }
  }
}

TEST_CASE("a parked cursor is woken once, a drain not by notices, one that lost records until it asked") {
  for (const CursorKind kind : {CursorKind::drain, CursorKind::tail}) {
    One one(kind);
    one.all.add(one.state, 0, {}, 0);
    one.all.wake(/*tails_only=*/false);
    CHECK(one.runs() == 0);
    one.state.parked = true;
    one.all.wake(/*tails_only=*/true);
    const int by_notice = kind == CursorKind::tail;
    CHECK(one.runs() == by_notice);
    one.state.parked = true;
    one.all.wake(/*tails_only=*/false);
    one.all.wake(/*tails_only=*/false);
    CHECK(one.runs() == by_notice + 1);

    one.all.lose_before(3, DropReason::overflow, 77);
    CHECK(one.runs() == by_notice + 2);
    one.all.lose_before(4, DropReason::memory, 78);
    one.all.lose_before(4, DropReason::age, 79);
    CHECK(one.runs() == by_notice + 2);
    const Loss loss = one.all.take_loss(one.state);
    CHECK(loss.records == 4);
    CHECK(loss.since == 77);
    CHECK(loss.reason == DropReason::memory);
    CHECK(one.all.take_loss(one.state).records == 0);
    one.all.lose_before(5, DropReason::age, 80);
    CHECK(one.runs() == by_notice + 3);
    one.all.remove(one.state);
    one.all.lose_before(6, DropReason::age, 81);
    CHECK(one.state.ordinal == 5);
  }
}

TEST_CASE("a chunk from a disk goes to who waits for a record in it; who lost that record waits no more") {
  One one(CursorKind::drain);
  const ChunkRef chunk = chunk_of(10, 1000, 20);
  one.all.add(one.state, 23, {1003}, 50);
  one.all.fetched(chunk);
  CHECK_FALSE(one.state.at);
  one.state.fetching = one.state.parked = true;
  one.all.fetched(chunk_of(3, 1000, 20));
  CHECK(one.runs() == 0);
  one.all.fetched(chunk);
  CHECK(one.runs() == 1);
  CHECK(one.state.at == chunk);
  CHECK(one.state.at_bytes == chunk->offset_of(23));
  CHECK_FALSE(one.state.fetching);

  one.all.lose_before(25, DropReason::overflow, 5);
  CHECK(one.runs() == 2);
  one.state.fetching = one.state.parked = true;
  one.all.lose_before(40, DropReason::overflow, 5);  // its first loss has not been asked for
  CHECK(one.runs() == 3);
  CHECK_FALSE(one.state.fetching);
}

TEST_CASE("who could run and lags is noticed; who is parked or waits outside is not") {
  One one(CursorKind::drain);
  one.all.add(one.state, 0, {}, 0);
  CHECK(one.all.runner_lags(11, 10, 0));
  CHECK_FALSE(one.all.runner_lags(10, 10, 0));
  CHECK_FALSE(one.all.runner_lags(11, 10, 1));
  one.state.waiting = true;
  CHECK_FALSE(one.all.runner_lags(11, 10, 0));
  one.state.waiting = false, one.state.parked = true;
  CHECK_FALSE(one.all.runner_lags(11, 10, 0));
  CHECK(one.all.want_below(1));
  CHECK_FALSE(one.all.want_below(0));
  One tail(CursorKind::tail);
  tail.all.add(tail.state, 0, {}, 0);
  CHECK_FALSE(tail.all.runner_lags(11, 10, 0));
  CHECK(tail.all.want_below(1));
}
