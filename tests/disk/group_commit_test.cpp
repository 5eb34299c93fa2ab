#include "channels/disk/group_commit.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <condition_variable>
#include <set>
#include <thread>

#include "tests/disk/store_fixture.h"
#include "tests/eventually.h"

using namespace tailrace;
using testing::eventually;

namespace {

struct CommitFixture {
  explicit CommitFixture(bool durable = true, AppendObserver* observer = nullptr, uint64_t capacity = 1 << 20)
      : keeper(capacity),
        commit({room, observer, durable, [] { return kTestTime; }}, keeper.parts(), {0, 0, 1, kMarkStep}) {
    room.set_open(true);
  }
  Room room{1u << 30};
  SimpleKeeper keeper;
  GroupCommit commit;
};

/// Syncs wait while it is shut.
class Gate {
 public:
  void shut() { set(false); }
  void open() { set(true); }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --waiting_;
  }
  void wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }

 private:
  void set(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
};

int calls(CountingWaiter& waiter) {
  const std::lock_guard lock(waiter.mutex);
  return waiter.calls;
}

}  // namespace

TEST_CASE("group_commit: nothing is told before its sync, and what came meanwhile is one group (D1, D2)") {
  Gate gate;
  std::atomic<int> syncs{0};
  CommitFixture f;
  REQUIRE(f.commit.start().has_value());
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    if (step.kind == IoStep::Kind::sync) ++syncs, gate.pass();
    return 0;
  });
  SimpleLog a(f.commit, 1), b(f.commit, 2);
  std::vector<CountingWaiter> waiters(101);
  gate.shut();
  a.append({"first"}, waiters[0]);
  gate.wait_for_somebody();
  for (int i = 1; i <= 100; ++i) (i % 2 ? a : b).append({"m" + std::to_string(i), "n"}, waiters[size_t(i)]);
  for (CountingWaiter& w : waiters) CHECK(calls(w) == 0);
  CHECK(a.visible().empty());
  CHECK(read_channel(f.keeper.segments, 1).empty());
  gate.open();
  REQUIRE(eventually([&] { return calls(waiters[100]) == 1; }));
  f.commit.stop();
  CHECK(syncs == 3);  // two groups, and the seal at the stop
  for (CountingWaiter& w : waiters) CHECK(calls(w) == 1);
  CHECK(waiters[0].first.value() == Position{1000});
  CHECK(waiters[3].first.value() == Position{1003});
  CHECK(a.visible().size() == 101);
  const Started started(f.keeper.options());
  CHECK(read_channel(started.segments, 1) == a.visible());
  CHECK(read_channel(started.segments, 2) == b.visible());
}

TEST_CASE(
    "group_commit: many threads, many logs, small segments; each waiter and the observer are called once") {
  struct Observer final : AppendObserver {
    void appended(const Channel&, std::span<const Slice> slices) override {
      for (const Slice& s : slices) records += s.records;
    }
    std::atomic<uint64_t> records{0};
  } observer;
  CommitFixture f(true, &observer, kEntriesAt + 16'384);
  REQUIRE(f.commit.start().has_value());
  std::vector<std::unique_ptr<SimpleLog>> logs;
  for (uint32_t i = 0; i < 5; ++i) logs.push_back(std::make_unique<SimpleLog>(f.commit, i));
  std::vector<CountingWaiter> waiters(4 * 200);
  std::vector<CountingWaiter> posts(4 * 10);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < 200; ++i) {
          logs[(t + i) % 5]->append(std::vector<std::string>(1 + i % 3, std::to_string(t * 1000 + i)),
                                    waiters[t * 200 + i]);
          if (i % 20 == 0)
            f.commit.remember({{uint8_t(t), uint8_t(i)}, kTestTime, 1, ""}, nullptr, posts[t * 10 + i / 20]);
        }
      });
  }
  f.commit.stop();
  for (CountingWaiter& w : waiters) CHECK((w.calls == 1 && w.first.has_value()));
  for (CountingWaiter& w : posts) CHECK((w.calls == 1 && w.first.has_value()));
  uint64_t records = 0;
  const Started started(f.keeper.options());
  for (uint32_t i = 0; i < 5; ++i) {
    CHECK(read_channel(started.segments, i) == logs[i]->visible());
    records += logs[i]->visible().size();
  }
  CHECK(records == 4 * (67 + 67 * 2 + 66 * 3));
  CHECK(observer.records == records);
  CHECK(started.recovered.posts.size() == 40);
  CHECK(started.recovered.entries == records + 40);
}

TEST_CASE(
    "group_commit: what was told no_room is not there, what was told a position is, while syncs fail at "
    "random") {
  CommitFixture f(true, nullptr, kEntriesAt + 16'384);
  REQUIRE(f.commit.start().has_value());
  std::vector<std::unique_ptr<SimpleLog>> logs;
  for (uint32_t i = 0; i < 3; ++i) logs.push_back(std::make_unique<SimpleLog>(f.commit, i));
  constexpr size_t kAppends = 300;
  std::vector<std::vector<CountingWaiter>> waiters(2);
  for (auto& w : waiters) w = std::vector<CountingWaiter>(kAppends);
  std::atomic<uint32_t> step_number{0};
  {
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      if (step.kind != IoStep::Kind::sync && step.kind != IoStep::Kind::write) return 0;
      return (++step_number * 2654435761u) >> 29 == 0 ? EIO : 0;  // one in eight
    });
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 2; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < kAppends; ++i) {
          logs[i % 3]->append({"t" + std::to_string(t) + "-" + std::to_string(i)}, waiters[t][i]);
          if (i % 10 == 9)  // so that there are many groups
            while (calls(waiters[t][i]) == 0) std::this_thread::yield();
        }
      });
    threads.clear();
    f.commit.stop();
  }
  std::set<std::string> accepted, refused, read;
  for (size_t t = 0; t < 2; ++t)
    for (size_t i = 0; i < kAppends; ++i) {
      REQUIRE(waiters[t][i].calls == 1);
      (waiters[t][i].first ? accepted : refused).insert("t" + std::to_string(t) + "-" + std::to_string(i));
    }
  CHECK_FALSE(accepted.empty());
  CHECK_FALSE(refused.empty());
  for (uint32_t i = 0; i < 3; ++i) {
    const auto here = read_channel(f.keeper.segments, i);
    CHECK(here == logs[i]->visible());
    for (const Known& k : here) read.insert(k.message);
  }
  CHECK(read == accepted);
  const Started started(f.keeper.options());
  for (uint32_t i = 0; i < 3; ++i) {
    const auto after = read_channel(started.segments, i), before = logs[i]->visible();
    REQUIRE(after.size() >=
            before.size());  // what was refused last may come back: nobody was told that it will not
    CHECK(std::equal(before.begin(), before.end(), after.begin()));
  }
}

TEST_CASE(
    "group_commit: behind a group that failed nothing is taken from a log before it took its records back") {
  CommitFixture f;
  REQUIRE(f.commit.start().has_value());
  SimpleLog log(f.commit, 1);
  CountingWaiter first, meanwhile, later;
  Gate gate;
  gate.shut();
  log.before_failed = [&] { gate.pass(); };
  {
    const ScopedHook hook(
        [](const IoStep& step, size_t&) { return step.kind == IoStep::Kind::sync ? EIO : 0; });
    log.append({"lost"}, first);
    gate.wait_for_somebody();
  }
  log.append({"with an ordinal behind it"}, meanwhile);
  for (int i = 0; i < 1000; ++i)
    std::this_thread::yield();  // a writer that does not wait would be here by now
  CHECK(log.takes == 1);
  gate.open();
  REQUIRE(eventually([&] { return calls(first) == 1; }));
  CHECK(calls(meanwhile) == 1);
  CHECK(meanwhile.first.error() == make_error_code(ChannelErrc::no_room));
  log.append({"later"}, later);
  f.commit.stop();
  CHECK(later.first.has_value());
  CHECK(to_text(read_channel(Started(f.keeper.options()).segments, 1)) == "0:1002:later ");
}

TEST_CASE("group_commit: a post is refused with its append, and not known after a restart") {
  CommitFixture f;
  REQUIRE(f.commit.start().has_value());
  CountingWaiter waiter, other;
  f.commit.remember({{1}, kTestTime, 1, ""}, std::make_shared<const std::atomic<bool>>(true), waiter);
  f.commit.remember({{2}, kTestTime, 1, ""}, std::make_shared<const std::atomic<bool>>(false), other);
  f.commit.stop();
  CHECK(waiter.first.has_error());
  CHECK(other.first.has_value());
  const Started started(f.keeper.options());
  REQUIRE(started.recovered.posts.size() == 1);
  CHECK(started.recovered.posts[0].key[0] == 2);
}

TEST_CASE("group_commit: no room is told and closes the room; later appends go on") {
  CommitFixture f(true, nullptr, kEntriesAt + 2048);
  f.keeper.segments_left = 1;
  REQUIRE(f.commit.start().has_value());
  SimpleLog log(f.commit, 1);
  std::vector<CountingWaiter> waiters(31);
  for (size_t i = 0; i < 30; ++i) {
    log.append({"message"}, waiters[i]);
    REQUIRE(eventually([&] { return calls(waiters[i]) == 1; }));
  }
  CHECK(waiters[0].first.has_value());
  CHECK(waiters[29].first.error() == make_error_code(ChannelErrc::no_room));
  CHECK_FALSE(f.room.open());
  CHECK(log.failures > 0);
  f.keeper.segments_left = 10;
  log.append({"again"}, waiters[30]);
  f.commit.stop();
  CHECK(waiters[30].first.has_value());
  CHECK(read_channel(Started(f.keeper.options()).segments, 1) == log.visible());
}

TEST_CASE("group_commit: without durable a group that finds no room is kept and stored later") {
  CommitFixture f(false, nullptr, kEntriesAt + 2048);
  f.keeper.segments_left = 0;
  CHECK(f.commit.start().error() == make_error_code(ChannelErrc::no_room));
  CHECK(f.commit.mark() == Position{0});
  SimpleLog log(f.commit, 1);
  CountingWaiter waiter;
  log.append({"kept"}, waiter);
  f.commit.retry();  // still none
  f.keeper.segments_left = 10;
  f.commit.retry();
  REQUIRE(eventually([&] { return calls(waiter) == 1; }));
  CHECK(waiter.first.has_value());
  CHECK(f.commit.mark() == Position{kMarkStep});
  f.commit.stop();
  CHECK(to_text(read_channel(Started(f.keeper.options()).segments, 1)) == "0:1000:kept ");
}

TEST_CASE("group_commit: copies go on while a group waits for the room that they make") {
  SimpleKeeper keeper(kEntriesAt + 2048);
  Room room{1u << 30};
  std::atomic<bool> space{true};
  GroupWriter::Parts parts = keeper.parts();
  parts.next_segment = [&](bool for_copies) {
    return space || for_copies ? keeper.next() : std::optional<PreparedSegment>{};
  };
  GroupCommit commit({room, nullptr, false, [] { return kTestTime; }}, parts, {0, 0, 1, kMarkStep});
  REQUIRE(commit.start().has_value());
  space = false;
  SimpleLog log(commit, 1);
  CountingWaiter waiter;
  log.append({std::string(1500, 'a'), std::string(1500, 'b')}, waiter);
  std::atomic<int> done{0};
  for (uint64_t i = 0; i < 5; ++i)
    commit.copy({{{5, i, make_slice(500 + i, {"x"})}}, {}, [&](const Result<void>& result) {
                   done += result.has_value();
                 }});
  REQUIRE(eventually([&] { return done == 5; }));
  CHECK(calls(waiter) == 0);
  space = true;
  commit.retry();
  REQUIRE(eventually([&] { return calls(waiter) == 1; }));
  commit.stop();
  const Started started(keeper.options());
  CHECK(read_channel(started.segments, 1).size() == 2);
  CHECK(read_channel(started.segments, 5).size() == 5);
}

TEST_CASE("group_commit: the cleaner's copies keep their ordinals and numbers, and are told") {
  CommitFixture f;
  REQUIRE(f.commit.start().has_value());
  SimpleLog log(f.commit, 1);
  CountingWaiter waiter;
  log.append({"new"}, waiter);
  std::atomic<int> done{0};
  for (uint64_t i = 0; i < 10; ++i)
    f.commit.copy({{{5, 100 + i * 2, make_slice(500 + i * 3, {"x", "y"})}},
                   {{{uint8_t(i)}, kTestTime, 1, ""}},
                   [&](const Result<void>& result) { done += result.has_value(); }});
  f.commit.raise_mark();
  f.commit.stop();
  CHECK(done == 10);
  CHECK(f.commit.mark() == Position{2 * kMarkStep});
  const Started started(f.keeper.options());
  const auto read = read_channel(started.segments, 5);
  REQUIRE(read.size() == 20);
  CHECK(read[3] == Known{103, 504, "y"});
  CHECK(started.recovered.posts.size() == 10);
  CHECK(started.recovered.mark == 2 * kMarkStep);
}
