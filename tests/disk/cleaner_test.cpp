#include "channels/disk/cleaner.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "channels/disk/crash_point.h"
#include "tests/disk/kept_fixture.h"

using namespace tailrace;

namespace {

constexpr Micros kLater = kTestTime + 2 * Cleaner::kPostAge;
constexpr Micros kAge = Micros{7} * 86400 * 1'000'000;

/// A store without threads: what is written and copied is synced when the call returns.
struct CleanerFixture {
  explicit CleanerFixture(uint64_t capacity = 64 * 1024) : keeper(capacity) {
    begin(GroupWriter::Start{0, 0, 1, kMarkStep});
    REQUIRE(writer->write({}, {}, false, kTestTime).has_value());
  }

  void begin(GroupWriter::Start start) {
    cleaner.reset();
    writer =
        std::make_unique<GroupWriter>(GroupWriter::Parts{*segments, [this](bool) { return keeper.next(); },
                                                         [this](const SegmentPtr& s) { keeper.seal(s); }},
                                      start);
    cleaner = std::make_unique<Cleaner>(
        Cleaner::Parts{*segments, logs,
                       [this](Copies copies) {
                         ++copied;
                         copies.done(writer->write(copies.records, copies.posts, true, kTestTime));
                       },
                       [this](const auto& its_ends) -> Result<void> {
                         if (on_positions) on_positions();
                         for (const auto& [channel, end] : its_ends) ends[channel] = end;
                         if (positions_fail) return make_error_code(ChannelErrc::no_room);
                         return {};
                       },
                       kAge});
  }

  /// The process ended; another one starts, with the floors as they were.
  void restart() {
    cleaner.reset();
    writer.reset();
    started = std::make_unique<Started>(keeper.options());
    REQUIRE_FALSE(started->failed);
    segments = &started->segments;
    const Recovered& r = started->recovered;
    keeper.next_segment = r.next_segment;
    for (const SegmentPtr& s : r.unsealed) keeper.seal(s);
    begin({r.last_segment, r.entries, r.next_group, r.mark + kMarkStep});
    REQUIRE(writer->write({}, {}, false, kTestTime).has_value());
  }

  void write(std::vector<StoredSlice> records, const std::vector<PostVerdict>& posts = {}) {
    REQUIRE(writer->write(records, posts, false, kTestTime).has_value());
    for (const StoredSlice& s : records)
      logs[s.channel].synced(s.ordinal + s.slice.records,
                             s.slice.bytes() + sizeof(EntryPrefix) * uint64_t{s.slice.records});
  }
  void write(uint32_t channel, const std::vector<std::string>& messages) {
    write({logs[channel].next(messages)});
  }
  /// Fills the head and one record more, all of one channel.
  void flood(uint32_t channel, size_t heads = 1) {
    const size_t before = segments->count();
    while (segments->count() < before + heads)
      write(channel, std::vector<std::string>(20, std::string(200, 'f')));
  }

  /// Steps until there is nothing to do; how many segments went.
  size_t clean(Micros now = kLater, bool pressed = false, size_t most = 1000) {
    size_t removed = 0;
    cleaner->look_again();
    for (size_t steps = 0; removed < most; ++steps) {
      REQUIRE(steps < 100'000);
      const auto step = cleaner->step(now, pressed);
      REQUIRE(step.has_value());
      if (*step == Cleaner::Step::idle) break;
      removed += *step == Cleaner::Step::removed;
    }
    return removed;
  }

  uint64_t indexed_bytes(uint32_t channel) const {
    uint64_t bytes = 0;
    for (const SegmentPtr& s : segments->all()) {
      const ChannelLine line = segments->line(*s, channel).value();
      bytes += line.records ? line.bytes : 0;
    }
    return bytes;
  }

  SimpleKeeper keeper;
  std::unique_ptr<Started> started;  // null in the first life
  SegmentSet* segments = &keeper.segments;
  TestLogs logs;
  std::unique_ptr<GroupWriter> writer;
  std::unique_ptr<Cleaner> cleaner;
  std::map<uint32_t, uint64_t> ends;
  std::function<void()> on_positions;
  bool positions_fail = false;
  size_t copied = 0;
};

std::vector<Known> from(const std::vector<Known>& all, uint64_t floor) {
  std::vector<Known> rest;
  for (const Known& k : all)
    if (k.ordinal >= floor) rest.push_back(k);
  return rest;
}

std::vector<Known> read_live(const SegmentSet& segments, uint32_t channel, uint64_t floor) {
  return from(read_channel(segments, channel), floor);
}

}  // namespace

TEST_CASE(
    "cleaner: an unread record outlives fifty segments of a flood, number and ordinal as they were (D11)") {
  CleanerFixture f;
  f.write(7, {"first", "unread"});
  f.logs[7].move_floor(1);
  for (int i = 0; i < 50; ++i) {
    f.flood(9);
    f.logs[9].move_floor(f.logs[9].synced_end());
    f.clean();
    REQUIRE(f.segments->count() <= 2);
    REQUIRE(read_live(*f.segments, 7, 1) == f.logs[7].live());
  }
  CHECK(to_text(f.logs[7].live()) == "1:1001:unread ");
  CHECK(f.keeper.next_segment > 50);
  CHECK(f.copied >= 25);
  for (const uint32_t channel : {7u, 9u}) CHECK(f.logs[channel].disk_bytes() == f.indexed_bytes(channel));
  CHECK(f.logs[7].first_kept() == 1);
  CHECK_FALSE(f.ends.contains(7));
  const Started started(f.keeper.options());
  REQUIRE_FALSE(started.failed);
  CHECK(read_live(started.segments, 7, 1) == f.logs[7].live());
  CHECK(started.recovered.channels[7].end_ordinal == 2);
  CHECK(started.recovered.channels[9].end_ordinal == f.logs[9].synced_end());
  CHECK(started.recovered.loss.missing_entries == 0);
}

TEST_CASE("cleaner: what is dead goes, a quarter alive is moved, more stays; and the last stays") {
  CleanerFixture f;
  f.flood(9);
  f.flood(9);
  f.flood(9);
  REQUIRE(f.segments->count() == 4);
  const uint64_t first = f.segments->lines(*f.segments->oldest()).value()[0].highest_ordinal + 1;
  CHECK(f.clean() == 0);
  f.logs[9].move_floor(first / 2);
  CHECK(f.clean() == 0);
  f.logs[9].move_floor(first - first / 5);
  CHECK(f.clean() == 1);
  const size_t copied = f.copied;
  CHECK(copied > 0);
  CHECK(read_live(*f.segments, 9, f.logs[9].floor()) == f.logs[9].live());
  f.logs[9].move_floor(f.logs[9].synced_end());
  f.clean();
  CHECK(f.segments->count() == 1);  // the head, for its mark
  CHECK(f.copied == copied);
  CHECK(f.clean() == 0);
  f.writer->finish();
  f.flood(9);
  f.logs[9].move_floor(f.logs[9].synced_end());
  f.writer->finish();  // all are sealed
  f.clean();
  CHECK(f.segments->count() == 1);
  f.restart();
  CHECK(f.started->recovered.mark >= kMarkStep);
  CHECK(f.started->recovered.channels[9].end_ordinal == f.logs[9].synced_end());
}

TEST_CASE("cleaner: what is alive in the oldest does not keep dead ones behind it") {
  CleanerFixture f;
  while (f.segments->count() < 2) f.write(7, {std::string(5000, 'u')});
  CHECK(f.clean() == 0);
  for (int i = 0; i < 3; ++i) {
    f.flood(9);
    f.logs[9].move_floor(f.logs[9].synced_end());
    CHECK(f.clean() == (i < 2 ? 0 : 4));
  }
  CHECK(read_channel(*f.segments, 7) == f.logs[7].live());
  CHECK(f.segments->count() <= 3);
  CHECK(f.clean() == 0);
}

TEST_CASE("cleaner: it looks again once a minute, and when a segment more is there") {
  CleanerFixture f;
  f.flood(9, 2);
  Micros now = kLater;
  REQUIRE(f.cleaner->step(now, false).value() == Cleaner::Step::idle);
  f.logs[9].move_floor(f.logs[9].synced_end());
  CHECK(f.cleaner->step(now, false).value() == Cleaner::Step::idle);
  SUBCASE("a minute") {
    CHECK(f.cleaner->step(now + 59'000'000, false).value() == Cleaner::Step::idle);
    CHECK(f.cleaner->step(now + 60'000'000, false).value() == Cleaner::Step::removed);
  }
  SUBCASE("the clock was put back") {
    CHECK(f.cleaner->step(now - 1, false).value() == Cleaner::Step::removed);
  }
  SUBCASE("a segment more") {
    f.flood(9);
    CHECK(f.cleaner->step(now, false).value() == Cleaner::Step::removed);
  }
  SUBCASE("room is wanted") {
    CHECK(f.cleaner->step(now, true).value() == Cleaner::Step::removed);
  }
}

TEST_CASE("cleaner: all alive is rewritten only under pressure, and it is known when that gains nothing") {
  CleanerFixture f(256 * 1024);
  f.flood(9, 4);
  const auto all = f.logs[9].live();
  CHECK(f.clean(kLater, false) == 0);
  CHECK(f.cleaner->barren_rounds() == 0);
  CHECK(f.clean(kLater, true, 12) == 12);
  CHECK(f.cleaner->barren_rounds() >= 1);
  CHECK(f.segments->count() <= 6);
  CHECK(read_channel(*f.segments, 9) == all);
  CHECK(f.logs[9].disk_bytes() == f.indexed_bytes(9));
  SUBCASE("half of it died") {
    f.logs[9].move_floor(all.size() / 2);
    bool gained = false;
    for (int i = 0; i < 6; ++i) {
      f.clean(kLater, true, 1);
      gained |= f.cleaner->barren_rounds() == 0;
    }
    CHECK(gained);
  }
  f.restart();
  CHECK(read_live(*f.segments, 9, f.logs[9].floor()) == f.logs[9].live());
}

TEST_CASE("cleaner: many small segments are gathered, then it stops") {
  CleanerFixture f;
  for (int start = 0; start < 60; ++start) {
    f.write(7, {std::string(6'000, 'a')});
    f.write(8, {"live " + std::to_string(start)});
    f.restart();
    f.clean();
    REQUIRE(f.segments->count() < 50);
  }
  const uint64_t copied = f.copied;
  CHECK(copied > 10);
  CHECK(f.clean() == 0);
  CHECK(f.copied == copied);
  f.logs[7].move_floor(60);
  f.clean();
  CHECK(f.segments->count() < 4);
  for (const uint32_t channel : {7u, 8u})
    CHECK(read_live(*f.segments, channel, f.logs[channel].floor()) == f.logs[channel].live());
}

TEST_CASE(
    "cleaner: a removed channel is dead; one that the catalog never knew lives until its age, or a press") {
  CleanerFixture f;
  f.flood(9, 2);
  const size_t records = read_channel(*f.segments, 9).size();
  SUBCASE("removed") {
    f.logs.remove(9, true);
    CHECK(f.clean() == 2);
  }
  SUBCASE("unknown") {
    f.logs.remove(9, false);
    CHECK(f.clean() == 0);
    CHECK(f.clean(kTestTime + kAge) == 0);
    CHECK(read_channel(*f.segments, 9).size() == records);
    CHECK(f.clean(kTestTime + kAge + 1) == 2);
  }
  SUBCASE("unknown, and room is wanted") {
    f.logs.remove(9, false);
    CHECK(f.clean(kLater, true) == 2);
  }
  CHECK(f.segments->count() == 1);
  CHECK(f.copied == 0);
}

TEST_CASE("cleaner: a few records of channels nobody knows are kept even under pressure") {
  CleanerFixture f;
  f.write(8, {"whose?"});
  f.logs.remove(8, false);
  f.flood(9, 2);
  f.clean(kLater, true, 5);
  CHECK(to_text(read_channel(*f.segments, 8)) == "0:1000:whose? ");
}

TEST_CASE("cleaner: a copy that lies in a newer segment is the one that counts") {
  CleanerFixture f;
  f.write(7, {"a", "b", "c"});
  f.flood(9);
  const auto before = f.logs[7].live();
  SUBCASE("copied before a crash: not copied again") {
    f.on_positions = [] { throw 1; };
    CHECK_THROWS(f.clean(kLater, true));
    const size_t copied = f.copied;
    CHECK(copied > 0);
    f.on_positions = nullptr;
    f.restart();
    CHECK(read_channel(*f.segments, 7) == before);
    const uint64_t oldest = f.segments->oldest()->header.segment;
    CHECK(f.clean(kLater, true, 1) == 1);
    CHECK(f.segments->oldest()->header.segment == oldest + 1);
    CHECK(f.copied == copied);
  }
  SUBCASE("a part of a run") {
    f.write({{7, 1, make_slice(1001, {"b"})}});
    const size_t copied = f.copied;
    CHECK(f.clean(kLater, true, 1) == 1);
    CHECK(f.copied > copied);
    uint64_t stored = 0;
    for (const SegmentPtr& s : f.segments->all()) stored += f.segments->line(*s, 7).value().records;
    CHECK(stored == 3);
  }
  SUBCASE(
      "another record with its ordinal, as a taken back group leaves it: the old one does not come back") {
    f.write({{7, 1, make_slice(5000, {"B"})}});
    CHECK(f.clean(kLater, true, 1) == 1);
    CHECK(to_text(read_channel(*f.segments, 7)) == "0:1000:a 1:5000:B 2:1002:c ");
    return;
  }
  CHECK(read_channel(*f.segments, 7) == before);
  f.restart();
  CHECK(read_channel(*f.segments, 7) == before);
}

TEST_CASE(
    "cleaner: damaged entries are not copied, all others are; what is missing shows in the ordinals (D5)") {
  CleanerFixture f;
  f.write(7, {"a", "damaged", "c"});
  f.write(8, {"x"});
  f.flood(9);
  f.logs[9].move_floor(f.logs[9].synced_end());
  {
    File file = File::open_to_write(f.segments->oldest()->file.path()).value();
    const ChannelLine line = f.segments->line(*f.segments->oldest(), 7).value();
    const Run run = f.segments->runs(*f.segments->oldest(), line).value()[0];
    const auto one = stored_size(MemoryEntry("a").record().header().text_size);
    file.write(run.offset + one + 70, std::as_bytes(std::span("?", 1))).value();
  }
  CHECK(f.clean() == 1);
  CHECK(to_text(read_channel(*f.segments, 7)) == "0:1000:a 2:1002:c ");
  CHECK(to_text(read_channel(*f.segments, 8)) == "0:1000:x ");
  CHECK(f.logs[7].disk_bytes() == f.indexed_bytes(7));
}

TEST_CASE("cleaner: posts of the last five minutes go along, with what was rejected (D14)") {
  CleanerFixture f;
  const auto post = [](uint8_t id, Micros age, const std::string& rejected) {
    return PostVerdict{{id}, kTestTime - age, id, rejected};
  };
  f.write({f.logs[9].next({"x"})},
          {post(1, 0, ""), post(2, Cleaner::kPostAge, "raw=1"), post(3, 60'000'000, "truncated=2")});
  f.flood(9);
  f.logs[9].move_floor(f.logs[9].synced_end());
  SUBCASE("young") {
    CHECK(f.clean(kTestTime) == 1);
    CHECK(f.copied == 1);
    CHECK(f.segments->count() == 1);
    const Started started(f.keeper.options());
    REQUIRE(started.recovered.posts.size() == 2);
    CHECK(started.recovered.posts[0].key[0] == 1);
    CHECK(started.recovered.posts[1].key[0] == 3);
    CHECK(started.recovered.posts[1].rejected == "truncated=2");
    CHECK(started.recovered.posts[1].accepted == 3);
    CHECK(started.recovered.posts[1].arrival == kTestTime - 60'000'000);
  }
  SUBCASE("old") {
    CHECK(f.clean() == 1);
    CHECK(f.copied == 0);
  }
}

TEST_CASE("cleaner: the end of a channel whose newest record goes is stored") {
  CleanerFixture f;
  f.write(6, {"still unread"});
  f.write(7, {"a", "b"});
  f.write(8, {"c"});
  f.flood(9);
  f.write(8, {"d"});
  for (const uint32_t channel : {7u, 8u, 9u}) f.logs[channel].move_floor(f.logs[channel].synced_end());
  CHECK(f.clean() == 1);
  CHECK(f.ends == std::map<uint32_t, uint64_t>{{7, 2}});
  CHECK(f.logs[7].first_kept() == 2);
  CHECK(f.logs[7].disk_bytes() == 0);
  f.logs[6].move_floor(1);
  f.flood(9);
  f.logs[9].move_floor(f.logs[9].synced_end());
  CHECK(f.clean() == 1);
  CHECK(f.ends == std::map<uint32_t, uint64_t>{{6, 1}, {7, 2}, {8, 2}});
}

TEST_CASE("cleaner: nothing is unlinked before the copies and the positions are synced (D10)") {
  CleanerFixture f;
  f.write(7, {"unread"});
  f.flood(9, 2);
  f.logs[9].move_floor(f.logs[9].synced_end());
  std::vector<std::string> journal;
  f.on_positions = [&] { journal.push_back("positions"); };
  {
    const ScopedHook hook([&](const IoStep& step, size_t&) {
      switch (step.kind) {
        case IoStep::Kind::write:
          journal.push_back("write");
          break;
        case IoStep::Kind::sync:
          journal.push_back("sync");
          break;
        case IoStep::Kind::unlink:
          journal.push_back("unlink");
          break;
        case IoStep::Kind::sync_dir:
          journal.push_back("sync_dir");
          break;
        default:
          break;
      }
      return 0;
    });
    CHECK(f.clean() == 2);
  }
  CHECK(journal == std::vector<std::string>{"write", "sync", "positions", "unlink", "sync_dir",  //
                                            "positions", "unlink", "sync_dir"});
}

TEST_CASE("cleaner: what fails is tried again, and nothing is lost meanwhile (D10)") {
  CleanerFixture f;
  f.write(7, {"unread"});
  f.flood(9, 2);
  f.logs[9].move_floor(f.logs[9].synced_end());
  const auto live = f.logs[7].live();
  SUBCASE("positions") {
    f.positions_fail = true;
    for (int i = 0; i < 5; ++i) CHECK((f.cleaner->step(kLater, false).has_error() || i == 0));
    CHECK(f.segments->count() == 3);
    CHECK(f.copied == 1);
    f.positions_fail = false;
  }
  CHECK(f.clean() == 2);
  CHECK(read_channel(*f.segments, 7) == live);
}

TEST_CASE("cleaner: whichever step of the disk fails, once or for a while, all is readable and it goes on") {
  size_t steps = 1;
  for (const bool for_long : {false, true})
    for (size_t failing = 0; failing < steps; ++failing) {
      CAPTURE(failing);
      CAPTURE(for_long);
      CleanerFixture f(kEntriesAt + 16 * 1024);
      f.write(7, {"unread", std::string(9000, 'u')});
      f.write({f.logs[8].next({"other"})}, {{{1}, kTestTime, 1, "raw=1"}});
      f.flood(9, 2);
      f.logs[9].move_floor(f.logs[9].synced_end());
      Micros now = kTestTime;
      const auto run = [&] {
        for (int i = 0; i < 30; ++i, now += 60'000'000) {
          (void)f.cleaner->step(now, true);
          f.cleaner->look_again();
        }
      };
      {
        size_t step_number = 0;
        bool looking = false;
        const ScopedHook hook([&](const IoStep& step, size_t&) {
          if (looking || (for_long && step.kind == IoStep::Kind::read)) return 0;
          const size_t number = step_number++;
          if (step.kind == IoStep::Kind::unlink) {
            looking = true;
            CHECK(read_channel(*f.segments, 7).size() == 2);
            looking = false;
          }
          return number == failing || (for_long && number > failing && number < failing + 20) ? EIO : 0;
        });
        run();
        steps = std::max(steps, std::min<size_t>(step_number, 60));
      }
      CHECK(read_channel(*f.segments, 7) == f.logs[7].live());
      CHECK(read_channel(*f.segments, 8) == f.logs[8].live());
      run();
      CHECK(f.segments->oldest()->header.segment > 1);
      const Started started(f.keeper.options());
      CHECK(read_channel(started.segments, 7) == f.logs[7].live());
      CHECK(read_channel(started.segments, 8) == f.logs[8].live());
      CHECK(started.recovered.loss.missing_entries == 0);
    }
  CHECK(steps > 20);
}

TEST_CASE(
    "cleaner: a segment that cannot be read stays ten minutes, then goes without what it does not give") {
  CleanerFixture f;
  f.write(7, {"unreadable"});
  f.flood(9);
  f.write(8, {"readable"});
  f.logs[9].move_floor(f.logs[9].synced_end());
  const std::string path = f.segments->oldest()->file.path();
  bool index_too = false;
  SUBCASE("its entries") {}
  SUBCASE("nor its index") {
    index_too = true;
  }
  const uint64_t index_at = f.segments->oldest()->index->end().index_at;
  const ScopedHook hook([&](const IoStep& step, size_t&) {
    return step.kind == IoStep::Kind::read && step.path == path && (index_too || step.offset < index_at) ? EIO
                                                                                                         : 0;
  });
  Micros now = kLater;
  for (int failures = 0; failures < 10; ++failures, now += 60'000'000) {
    CHECK(f.cleaner->step(now, true).has_error());
    CHECK(f.cleaner->step(now + 30'000'000, true).value() == Cleaner::Step::idle);
  }
  CHECK(f.segments->count() == 2);
  CHECK(f.cleaner->step(now, true).value() == Cleaner::Step::removed);
  CHECK(read_channel(*f.segments, 7).empty());
  CHECK(to_text(read_channel(*f.segments, 8)) == "0:1000:readable ");
}

TEST_CASE(
    "cleaner: wherever it ends, every live record is there once, in order, and cleaning goes on (D8, D10)") {
  for (const char* name :
       {"clean.copied", "clean.positions_synced", "clean.unlinked", "group.written", "group.synced"})
    for (const int times : {1, 2, 3, 4}) {
      CAPTURE(std::string(name));
      CAPTURE(times);
      CleanerFixture f(kEntriesAt + 24 * 1024);
      for (int i = 0; i < 6; ++i) {
        f.write({f.logs[7].next({"seven " + std::to_string(i)}), f.logs[8].next({"eight", "more"})});
        f.flood(9);
      }
      f.logs[8].move_floor(5);
      f.logs[9].move_floor(f.logs[9].synced_end() - 30);
      const pid_t child = ::fork();
      if (child == 0) {
        ::setenv("TAILRACE_CRASHPOINT", (std::string(name) + ":" + std::to_string(times)).c_str(), 1);
        arm_crash_point();
        for (int i = 0; i < 10'000; ++i) {
          if (!f.cleaner->step(kLater, true)) ::_exit(3);
          f.cleaner->look_again();
        }
        ::_exit(0);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      REQUIRE(WIFEXITED(status));
      REQUIRE(WEXITSTATUS(status) == 137);
      f.restart();
      CHECK(f.started->recovered.loss.missing_entries == 0);
      CHECK(f.started->recovered.loss.damaged_stretches == 0);
      for (int round = 0; round < 3; ++round) {
        for (const uint32_t channel : {7u, 8u, 9u})
          REQUIRE(read_live(*f.segments, channel, f.logs[channel].floor()) == f.logs[channel].live());
        f.clean(kLater, false);
        if (round == 1) f.restart();
      }
      CHECK(f.segments->count() <= 4);
    }
}
