// Both stores of rollups, by the same tests; and what only one in a file can do.

#include "metrics/rollup/rollup_store.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>

#include "channels/disk/sqlite.h"
#include "metrics/rollup/disk_rollups.h"
#include "metrics/rollup/memory_rollups.h"
#include "metrics/rollup/rollup_query.h"
#include "tests/disk/faulty_sqlite.h"
#include "tests/disk/temp_dir.h"
#include "tests/metrics/exact_values.h"

using namespace tailrace;

namespace {

constexpr Micros kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr Micros kStart = 1'795'000'000'000'000 / kDay * kDay + 13 * kMinute;
constexpr uint64_t kRoomy = 1u << 30;

/// One store, perhaps over several starts.
struct Kept {
  explicit Kept(bool its_disk, uint64_t its_limit = kRoomy) : disk(its_disk), limit(its_limit) { open(); }
  void open() {
    store.reset();
    const RollupClocks clocks{[this] { return now; },
                              [this] { return Mono(std::chrono::microseconds(now - ahead)); }};
    store = disk ? disk_rollups(dir.path(), limit, clocks) : memory_rollups(limit, clocks);
  }

  const bool disk;
  const uint64_t limit;
  Micros now = kStart;
  Micros ahead = 0;  // how far the clock is wrong
  TempDir dir;
  std::unique_ptr<RollupStore> store;
};

/// `test(kept)` for a store of each kind.
void for_both(uint64_t limit, const std::function<void(Kept&)>& test) {
  for (const bool disk : {false, true}) {
    CAPTURE(disk);
    Kept kept(disk, limit);
    test(kept);
  }
}

SeriesName name_of(const std::string& name, const std::string& source = "") {
  return SeriesName(SeriesKey{SeriesKind::measure, name, source, "seconds"});
}

RollupDelta one_value(double value, Micros time, Micros length = kMinute, const std::string& name = "a") {
  RollupDelta delta;
  delta.windows[window_of(time, length)][name_of(name)].add(value, {time, {1}});
  return delta;
}

RollupBatch batch_of(uint32_t channel, RollupDelta delta) {
  RollupBatch batch;
  batch.emplace(channel, std::move(delta));
  return batch;
}

void merge(Kept& kept, uint32_t channel, RollupDelta delta) {
  REQUIRE(kept.store->merge(batch_of(channel, std::move(delta))));
}

RollupSteps ask(Kept& kept, uint32_t channel, Micros from, Micros to, Micros step) {
  RollupQuery query{window_of(from, step).begin, window_of(to + step - 1, step).begin, step, {}};
  auto answer = kept.store->read(channel, query.from, query.to);
  REQUIRE(answer.has_value());
  return steps_of(*answer, query);
}

/// Every value ever merged, by its time.
struct Exact {
  struct Value {
    Micros time;
    double value;
    uint64_t position;
  };
  std::map<std::pair<uint32_t, SeriesName>, std::vector<Value>> values;

  std::map<Micros, ExactValues> steps(uint32_t channel, const SeriesName& name, Micros step,
                                      Micros from) const {
    std::map<Micros, ExactValues> all;
    const auto found = values.find({channel, name});
    if (found == values.end()) return all;
    for (const Value& v : found->second)
      if (const Micros begin = window_of(v.time, step).begin; begin >= from)
        all[begin].add(v.value, {v.time, {v.position}});
    return all;
  }
};

/// That the store has every whole step of each length as it must be.
void check_exact(Kept& kept, const Exact& exact, uint32_t channels) {
  for (const Micros step : {kMinute, 2 * kMinute, 10 * kMinute, 30 * kMinute, kHour, 6 * kHour}) {
    CAPTURE(step);
    for (uint32_t channel = 0; channel < channels; ++channel) {
      const RollupSteps steps = ask(kept, channel, kept.now - 9 * kDay, kept.now + kHour, step);
      for (const auto& [place, unused] : exact.values) {
        if (place.first != channel) continue;
        const auto expected = exact.steps(channel, place.second, step, steps.whole_from);
        const auto found = steps.series.find(place.second);
        std::map<Micros, const Cell*> seen;
        if (found != steps.series.end())
          for (const auto& [time, cell] : found->second)
            if (time >= steps.whole_from) seen[time] = &cell;
        REQUIRE(seen.size() == expected.size());
        for (const auto& [time, cell] : seen) check_same(*cell, expected.at(time));
      }
    }
  }
}

/// Lines of a moment: most of now, some late, some very late.
RollupBatch lines(std::mt19937_64& random, Micros now, uint32_t channels, uint64_t& position, Exact& exact) {
  RollupBatch batch;
  for (uint32_t channel = 0; channel < channels; ++channel) {
    OpenWindows shards[2];
    for (int line = 0; line < 30; ++line, ++position) {
      OpenWindows& windows = shards[random() % 2];
      const Micros ages[] = {kMinute, kMinute, kMinute, 3 * kHour, 4 * kDay, 8 * kDay};
      Micros time = now - static_cast<Micros>(random() % static_cast<uint64_t>(ages[random() % 6]));
      windows.cover({position}, {position + 1});
      OpenWindow* const window = windows.at(time, now);
      if (!window) continue;
      const auto series = static_cast<SeriesId>(first_own_series + random() % 3);
      const double value = std::lognormal_distribution<>(-3, 1.2)(random);
      window->add(series, value, {time, {position}});
      exact.values[{channel, name_of("s" + std::to_string(series))}].push_back({time, value, position});
    }
    for (OpenWindows& windows : shards)
      batch[channel].add(windows.take(), [](SeriesId id) { return name_of("s" + std::to_string(id)); });
  }
  return batch;
}

uint64_t lines_in(const RollupSteps& steps) {
  uint64_t lines = 0;
  for (const auto& [name, points] : steps.series)
    for (const auto& [time, cell] : points) lines += cell.count();
  return lines;
}

}  // namespace

TEST_CASE("rollups: over ten days of merges and ageing, each whole step is what was counted") {
  for_both(kRoomy, [](Kept& kept) {
    std::mt19937_64 random(1);
    Exact exact;
    uint64_t position = 1;
    // Values from before it was made are there, but not whole; so the first week is checked from its end on.
    for (int round = 0; round < 150; ++round) {
      REQUIRE(kept.store->merge(lines(random, kept.now, 3, position, exact)));
      if (random() % 4 == 0) REQUIRE(kept.store->compact(kept.now));
      if (kept.disk && random() % 10 == 0) kept.open();
      kept.now += static_cast<Micros>(random() % static_cast<uint64_t>(3 * kHour));
      if (round % 50 == 49) {
        REQUIRE(kept.store->compact(kept.now));
        check_exact(kept, exact, 3);
      }
    }
    const auto answer = kept.store->read(0, 0, kept.now);
    REQUIRE(answer.has_value());
    CHECK(answer->whole_from[0] == window_of(kept.now - 2 * kHour - kMinute, 10 * kMinute).begin);
    CHECK(answer->whole_from[1] == window_of(kept.now - 72 * kHour - 10 * kMinute, kHour).begin);
    CHECK(answer->whole_from[2] == window_of(kept.now - 7 * kDay - kHour, kHour).begin);
    CHECK(answer->late > 0);
    for (const auto& [span, cells] : answer->windows) {
      CHECK(kept.now - span.end() <= (span.length == kMinute        ? 2 * kHour + 11 * kMinute
                                      : span.length == 10 * kMinute ? 73 * kHour + 10 * kMinute
                                                                    : 7 * kDay + 2 * kHour));
    }
  });
}

TEST_CASE("rollups: a window finer than its time is kept in goes into a coarser one, or is late") {
  for_both(kRoomy, [](Kept& kept) {
    REQUIRE(kept.store->compact(kept.now));
    RollupDelta delta;
    for (const Micros age : {Micros{0}, 3 * kHour, 80 * kHour, 9 * kDay})
      delta.merge(one_value(static_cast<double>(age / kHour), kept.now - age));
    merge(kept, 1, std::move(delta));
    const auto answer = kept.store->read(1, 0, kept.now + kHour);
    REQUIRE(answer.has_value());
    std::vector<WindowSpan> spans;
    for (const auto& [span, cells] : answer->windows) spans.push_back(span);
    CHECK(spans == std::vector<WindowSpan>{window_of(kept.now - 80 * kHour, kHour),
                                           window_of(kept.now - 3 * kHour, 10 * kMinute),
                                           window_of(kept.now, kMinute)});
    CHECK(answer->late == 1);
  });
}

TEST_CASE("rollups: at the bound the finest and oldest go first, over all channels, and the answer says so") {
  static constexpr uint64_t limit = 200'000;
  for_both(limit, [](Kept& kept) {
    std::mt19937_64 random(2);
    Exact exact;
    uint64_t position = 1;
    std::array<Micros, kWindowKinds> before{};
    // Each channel has a hundred series of its own.
    const auto fill = [&](Micros until) {
      for (; kept.now < until; kept.now += 2 * kMinute) {
        RollupBatch batch;
        for (uint32_t channel = 0; channel < 4; ++channel)
          for (int s = 0; s < 25; ++s) {
            const SeriesName name = name_of("series." + std::to_string(s));
            const double value = std::lognormal_distribution<>(-3, 1.2)(random);
            batch[channel].windows[window_of(kept.now, kMinute)][name].add(value, {kept.now, {position}});
            exact.values[{channel, name}].push_back({kept.now, value, position++});
          }
        REQUIRE(kept.store->merge(batch));
        REQUIRE(kept.store->compact(kept.now));
        CHECK(kept.store->bytes() <= limit);
        const auto answer = kept.store->read(0, kept.now - kHour, kept.now);
        for (size_t kind = 0; kind < kWindowKinds; ++kind) CHECK(answer->whole_from[kind] >= before[kind]);
        // Minutes before tens before hours.
        CHECK(answer->whole_from[0] >= answer->whole_from[1]);
        CHECK(answer->whole_from[1] >= answer->whole_from[2]);
        before = answer->whole_from;
      }
    };
    fill(kStart + 4 * kHour);
    const Micros aged = window_of(kept.now - 2 * kHour, 10 * kMinute).begin;
    CHECK(before[0] > aged);     // sooner than their time
    CHECK(before[2] == kStart);  // nothing is missing in hours
    check_exact(kept, exact, 4);
    fill(kStart + 30 * kHour);
    CHECK(before[1] > kStart);
    check_exact(kept, exact, 4);
  });
}

TEST_CASE("rollups: at the bound a channel that has more than its share goes before the others") {
  static constexpr uint64_t limit = 300'000;
  for_both(limit, [](Kept& kept) {
    std::mt19937_64 random(3);
    Exact exact;
    uint64_t position = 1;
    const auto add = [&](RollupBatch& batch, uint32_t channel, int series) {
      const SeriesName name = name_of("series." + std::to_string(series));
      const double value = std::lognormal_distribution<>(-3, 1.2)(random);
      batch[channel].windows[window_of(kept.now, kMinute)][name].add(value, {kept.now, {position}});
      exact.values[{channel, name}].push_back({kept.now, value, position++});
    };
    for (; kept.now < kStart + 3 * kHour; kept.now += kMinute) {
      RollupBatch batch;
      for (uint32_t channel = 0; channel < 4; ++channel) add(batch, channel, 0);
      for (int series = 0; series < 200; ++series) add(batch, 4, series);
      REQUIRE(kept.store->merge(batch));
      REQUIRE(kept.store->compact(kept.now));
      CHECK(kept.store->bytes() <= limit);
    }
    const Micros two_hours = window_of(kept.now - 2 * kHour, 10 * kMinute).begin;
    for (uint32_t channel = 0; channel < 4; ++channel) {
      const auto quiet = kept.store->read(channel, kept.now - kHour, kept.now);
      CHECK(quiet->whole_from[0] <= two_hours);
      CHECK(quiet->whole_from[1] == kStart);
    }
    const auto large = kept.store->read(4, kept.now - kHour, kept.now);
    CHECK(large->whole_from[0] > two_hours + kHour);
    CHECK(large->whole_from[2] == kStart);
    check_exact(kept, exact, 5);
  });
}

TEST_CASE("rollups: what is covered, marks and late lines are kept with the values") {
  for_both(kRoomy, [](Kept& kept) {
    CHECK(kept.store->channels()->empty());
    CHECK(kept.store->counted(7)->covered.ranges().empty());
    RollupDelta delta = one_value(1, kept.now);
    delta.covered.add({100}, {200});
    delta.marks = {{kept.now, PlatformEvent::scale, "api", "Scaled to web@2"},
                   {kept.now - kHour, PlatformEvent::deploy, "api", std::string("a\0b\xff", 4)}};
    delta.late = 3;
    merge(kept, 7, std::move(delta));
    RollupDelta more;
    more.covered.add({200}, {300});
    more.covered.add({500}, {600});
    more.late = 2;
    merge(kept, 7, std::move(more));
    merge(kept, 8, one_value(2, kept.now));
    if (kept.disk) kept.open();

    Covered covered;
    covered.add({100}, {300});
    covered.add({500}, {600});
    CHECK(kept.store->counted(7)->covered == covered);
    CHECK(*kept.store->channels() == std::vector<uint32_t>{7, 8});
    const auto answer = kept.store->read(7, kept.now - 2 * kHour, kept.now + 1);
    CHECK(answer->late == 5);
    REQUIRE(answer->marks.size() == 2);
    CHECK(answer->marks[0].text == std::string("a\0b\xff", 4));
    CHECK(answer->marks[1].event == PlatformEvent::scale);
    CHECK(kept.store->read(7, kept.now - kMinute, kept.now + 1)->marks.size() == 1);

    REQUIRE(kept.store->forget(7));
    REQUIRE(kept.store->forget(7));
    CHECK(*kept.store->channels() == std::vector<uint32_t>{8});
    CHECK(kept.store->read(7, 0, kept.now + kHour)->windows.empty());
    CHECK(kept.store->counted(7)->covered.ranges().empty());
    CHECK(lines_in(ask(kept, 8, kept.now, kept.now + 1, kMinute)) == 1);
  });
}

TEST_CASE("rollups: of too many marks the newest are kept, and none beyond a week") {
  for_both(kRoomy, [](Kept& kept) {
    for (int i = 0; i < 3; ++i) {
      RollupDelta delta;
      for (int m = 0; m < 700; ++m)
        delta.marks.push_back({kept.now + i * 1000 + m, PlatformEvent::restart, "api", "Restarted"});
      merge(kept, 1, std::move(delta));
    }
    const auto marks = kept.store->read(1, 0, kept.now + kHour)->marks;
    REQUIRE(marks.size() == kMostMarks);
    CHECK(marks.back().time == kept.now + 2699);
    CHECK(std::ranges::is_sorted(marks));
    kept.now += 8 * kDay;
    REQUIRE(kept.store->compact(kept.now));
    merge(kept, 1, one_value(1, kept.now));
    CHECK(kept.store->read(1, 0, kept.now + kHour)->marks.empty());
  });
}

// ---- the file --------------------------------------------------------------------------------------------

TEST_CASE("rollups on disk: a merge is stored as a whole or not at all, and can be tried again") {
  FaultySqlite faulty;
  Kept kept(true);
  merge(kept, 1, one_value(1, kept.now));
  std::mt19937_64 random(3);
  uint64_t merged = 1;
  for (const int error : {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC}) {
    RollupBatch batch;
    for (uint32_t channel = 1; channel < 200; ++channel) {
      batch[channel] = one_value(0.5, kept.now);
      batch[channel].covered.add({channel}, {channel + 10});
    }
    faulty.write_error = error;
    CHECK_FALSE(kept.store->merge(batch));
    CHECK_FALSE(kept.store->merge(batch));
    faulty.write_error = 0;
    CHECK(lines_in(ask(kept, 1, kept.now, kept.now + 1, kMinute)) == merged);
    REQUIRE(kept.store->merge(batch));
    ++merged;
    CHECK(lines_in(ask(kept, 1, kept.now, kept.now + 1, kMinute)) == merged);
    CHECK(lines_in(ask(kept, 199, kept.now, kept.now + 1, kMinute)) == merged - 1);
    CHECK(kept.store->counted(100)->covered.holds({105}));
  }
  CHECK_FALSE(std::filesystem::exists(kept.dir / "rollups.bad.db"));
  kept.store.reset();
}

TEST_CASE("rollups on disk: whatever is wrong with the file, a start has a store") {
  const auto write = [](const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  };
  const auto sql = [](const std::string& path, const char* text) {
    auto db = Database::open(path, Database::Sync::normal);
    REQUIRE(db.has_value());
    REQUIRE(db->script(text));
  };
  const std::vector<std::pair<const char*, std::function<void(const std::string&)>>> all = {
      {"garbage", [&](const std::string& path) { write(path, std::string(20'000, 'x')); }},
      {"empty", [&](const std::string& path) { write(path, ""); }},
      {"short", [&](const std::string& path) { std::filesystem::resize_file(path, 5000); }},
      {"a newer version", [&](const std::string& path) { sql(path, "PRAGMA user_version = 9"); }},
      {"no version", [&](const std::string& path) { sql(path, "PRAGMA user_version = 0"); }},
      {"no table", [&](const std::string& path) { sql(path, "DROP TABLE windows"); }},
      {"no bounds", [&](const std::string& path) { sql(path, "DELETE FROM meta"); }},
      {"bounds that were flipped",
       [&](const std::string& path) {
         sql(path, "UPDATE meta SET value = value + 1 WHERE key = 'floor_1h'");
       }},
  };
  for (const auto& [name, damage] : all) {
    CAPTURE(name);
    Kept kept(true);
    RollupDelta delta = one_value(1, kept.now);
    delta.covered.add({1}, {2});
    merge(kept, 1, std::move(delta));
    kept.store.reset();
    damage(kept.dir / "rollups.db");
    kept.open();
    // All or nothing of a channel: what is covered is counted.
    const bool covered = kept.store->counted(1)->covered.holds({1});
    CHECK_FALSE(covered);
    CHECK(lines_in(ask(kept, 1, kept.now, kept.now + 1, kMinute)) == 0);
    CHECK(std::filesystem::exists(kept.dir / "rollups.bad.db"));
    merge(kept, 1, one_value(1, kept.now));
    kept.open();
    CHECK(lines_in(ask(kept, 1, kept.now, kept.now + 1, kMinute)) == 1);
  }
}

TEST_CASE("rollups on disk: a row that was flipped costs itself, one of a channel its windows too") {
  Kept kept(true);
  for (const uint32_t channel : {1u, 2u}) {
    RollupDelta delta = one_value(1, kept.now);
    delta.merge(one_value(2, kept.now - kMinute));
    delta.covered.add({1}, {9});
    merge(kept, channel, std::move(delta));
  }
  kept.store.reset();
  {
    auto db = Database::open(kept.dir / "rollups.db", Database::Sync::normal);
    REQUIRE(
        db->script("UPDATE windows SET cells = zeroblob(20) WHERE key = (SELECT min(key) FROM windows WHERE "
                   "key % 4294967296 = 1); UPDATE channels SET state = zeroblob(3) WHERE idx = 2"));
  }
  kept.open();
  CHECK(lines_in(ask(kept, 1, kept.now - kHour, kept.now + 1, kMinute)) == 1);
  CHECK(kept.store->counted(1)->covered.holds({5}));
  CHECK_FALSE(kept.store->counted(2)->covered.holds({5}));
  CHECK(lines_in(ask(kept, 2, kept.now - kHour, kept.now + 1, kMinute)) == 0);
  merge(kept, 1, one_value(3, kept.now - kMinute));
  CHECK(lines_in(ask(kept, 1, kept.now - kHour, kept.now + 1, kMinute)) == 2);
}

TEST_CASE("rollups: an answer has the series that were asked for") {
  for_both(kRoomy, [](Kept& kept) {
    RollupDelta delta;
    const std::string sources[] = {"", "web.1", "web.2"};
    for (int i = 0; i < 30; ++i)
      delta.windows[window_of(kept.now, kMinute)][name_of("s" + std::to_string(i / 3), sources[i % 3])].add(
          i, {kept.now, {1}});
    delta.windows[window_of(kept.now - kHour, kMinute)][name_of("other")].add(1, {kept.now - kHour, {1}});
    merge(kept, 1, std::move(delta));
    const auto asked = [&](const SeriesFilter& filter) {
      const auto answer = kept.store->read(1, kept.now - kDay, kept.now + kDay, filter);
      REQUIRE(answer.has_value());
      std::vector<std::string> found;
      for (const auto& [span, cells] : answer->windows) {
        CHECK(!cells.empty());
        for (const auto& [name, cell] : cells) found.push_back(name.name + "/" + name.source);
      }
      return found;
    };
    CHECK(asked({}).size() == 31);
    CHECK(asked({{"s3"}, {}}) == std::vector<std::string>{"s3/", "s3/web.1", "s3/web.2"});
    CHECK(asked({{"s3", "other"}, {""}}) == std::vector<std::string>{"other/", "s3/"});
    CHECK(asked({{}, {"web.2"}}).size() == 10);
    CHECK(asked({{"none"}, {}}).empty());
  });
}

TEST_CASE("rollups: a clock that is ahead for a while takes nothing") {
  for_both(kRoomy, [](Kept& kept) {
    const auto values = [&] {
      uint64_t count = 0;
      for (const auto& [name, points] : ask(kept, 1, kept.now - kHour, kept.now + kHour, kMinute).series)
        for (const auto& [time, cell] : points) count += cell.count();
      return count;
    };
    const auto set_ahead = [&](Micros by) {
      kept.now += by - kept.ahead;
      kept.ahead = by;
    };
    merge(kept, 1, one_value(1, kept.now));
    REQUIRE(kept.store->compact(kept.now));
    set_ahead(365 * kDay);
    for (int round = 0; round < 30; ++round, kept.now += 10'000'000) {
      REQUIRE(kept.store->compact(kept.now));
      merge(kept, 1, one_value(1, kept.now));
    }
    set_ahead(0);
    REQUIRE(kept.store->compact(kept.now));
    merge(kept, 1, one_value(1, kept.now));
    CHECK(values() == 2);
    CHECK(ask(kept, 1, kept.now - kHour, kept.now, kMinute).whole_from <= window_of(kStart, kMinute).end());

    // One that stays is right in the end.
    set_ahead(365 * kDay);
    for (int round = 0; round < 61; ++round, kept.now += 10'000'000) REQUIRE(kept.store->compact(kept.now));
    CHECK(ask(kept, 1, kept.now - kHour, kept.now, kMinute).whole_from > kept.now - 3 * kHour);
  });
}

TEST_CASE("rollups: floors that a clock left in the future are put back") {
  for_both(kRoomy, [](Kept& kept) {
    const Micros right = kept.now;
    kept.now += 365 * kDay;
    REQUIRE(kept.store->compact(kept.now));  // the first one has nothing to doubt it by
    kept.now = right;
    if (kept.disk) kept.open();
    REQUIRE(kept.store->compact(kept.now));
    merge(kept, 1, one_value(5, kept.now));
    const RollupSteps steps = ask(kept, 1, kept.now - kHour, kept.now + kMinute, kMinute);
    CHECK(steps.points == 1);
    CHECK(steps.whole_from == window_of(right + kMinute - 1, kMinute).begin);
    CHECK(kept.store->read(1, 0, kept.now + kDay)->late == 0);
  });
}
