#include "metrics/series/series_counts.h"

#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <thread>

#include "metrics/lines/quantity.h"
#include "metrics/series/series_snapshot.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000, kHour = 3600 * kSecond;
constexpr Micros kNow = 1'700'000'000 * kSecond;

struct Fixture {
  explicit Fixture(uint32_t limit = 1000, uint64_t process = 100'000) : limits(limit, process) {}
  SeriesLimits limits;
  std::shared_ptr<SeriesTable> table = std::make_shared<SeriesTable>(limits);
};

SampleLine line_of(std::string_view message) {
  SampleLine line;
  scan_sample_line(message, line);
  return line;
}

void add(SeriesCounts& share, std::string_view message, Micros at = kNow, uint64_t position = 1,
         OpenWindow* window = nullptr) {
  share.add(line_of(message), {at, {position}}, at, window);
}

template <class... Shares>
SeriesSnapshot merged(const SeriesTable& table, Micros now, Shares&... shares) {
  SeriesMerge merge;
  (merge.add(shares, now), ...);
  return merge.finish(table, now);
}

const SeriesValues* find(const SeriesSnapshot& snapshot, const SeriesKey& key) {
  for (const SeriesValues& values : snapshot.values)
    if (values.series->key() == key) return &values;
  return nullptr;
}

constexpr SeriesKind kMeasure = SeriesKind::measure, kCount = SeriesKind::count, kSample = SeriesKind::sample;

}  // namespace

TEST_CASE("each kind of pair counts as what it is, and in its window") {
  Fixture f;
  SeriesCounts share(f.table);
  OpenWindow window;
  add(share, "measure#db.latency=4ms count#jobs=2 sample#queue=-7 source=web.1", kNow, 1, &window);
  add(share, "measure#db.latency=6ms count#jobs=3.5 sample#queue=9 source=web.1", kNow, 2, &window);
  add(share, "measure#db.latency=-1ms", kNow, 3, &window);
  const SeriesSnapshot snapshot = merged(*f.table, kNow, share);
  REQUIRE(snapshot.values.size() == 4);
  CHECK(snapshot.totals.series == 4);

  const auto* latency = find(snapshot, {kMeasure, "db.latency", "web.1", "seconds"});
  REQUIRE(latency);
  CHECK(latency->count == 2);
  CHECK(latency->sum == 0.01);
  CHECK(latency->quantiles.back() == 0.006);
  CHECK(latency->quantiles[0] == 0.004);
  CHECK(find(snapshot, {kMeasure, "db.latency", "", "seconds"})->quantiles[0] == -0.001);
  CHECK(find(snapshot, {kCount, "jobs", "web.1", ""})->sum == 5.5);
  CHECK(find(snapshot, {kSample, "queue", "web.1", ""})->last == 9);

  std::map<SeriesName, std::pair<uint64_t, double>> cells;
  window.for_each(
      [&](SeriesId id, const Cell& cell) { cells[*f.table->name(id)] = {cell.count(), cell.sum()}; });
  CHECK(cells.size() == 4);
  CHECK(cells[SeriesName({kCount, "jobs", "web.1", ""})] == std::pair<uint64_t, double>(2, 5.5));
  CHECK(cells[SeriesName({kMeasure, "db.latency", "web.1", "seconds"})] ==
        std::pair<uint64_t, double>(2, 0.01));
}

TEST_CASE("the last sample is that of the latest line time, then of the greatest position") {
  Fixture f;
  SeriesCounts one(f.table), two(f.table);
  const SeriesKey key{kSample, "a", "", ""};
  one.add(line_of("sample#a=1"), {kNow, {5}}, kNow, nullptr);
  two.add(line_of("sample#a=2"), {kNow, {6}}, kNow, nullptr);
  one.add(line_of("sample#a=3"), {kNow - 1, {9}}, kNow, nullptr);
  CHECK(find(merged(*f.table, kNow, one, two), key)->last == 2);
  CHECK(find(merged(*f.table, kNow, two, one), key)->last == 2);
  one.add(line_of("sample#a=-4"), {kNow + 1, {1}}, kNow, nullptr);
  CHECK(find(merged(*f.table, kNow, two, one), key)->last == -4);
}

TEST_CASE("runtime metrics are gauges of the dyno that PROCID names") {
  Fixture f;
  SeriesCounts share(f.table);
  share.add_runtime(
      line_of("source=other dyno=heroku.1 sample#memory_total=180.5MB sample#memory_rss=180MB "
              "sample#memory_cache=0.5MB sample#memory_swap=0.00MB sample#memory_pgpgin=84pages "
              "sample#memory_quota=512.00MB"),
      "web.1", {kNow, {1}}, kNow, nullptr);
  share.add_runtime(
      line_of("source=web.1 sample#load_avg_1m=0.25 sample#load_avg_5m=0.5 sample#load_avg_15m=1 "
              "measure#memory_total=5MB sample#memory_rss=7"),
      "web.1", {kNow, {2}}, kNow, nullptr);
  const auto snapshot = merged(*f.table, kNow, share);
  const auto memory = [&](std::string_view name) {
    return find(snapshot, {SeriesKind::dyno_memory, name, "web.1", "bytes"})->last;
  };
  CHECK(memory("dyno.memory.total") == 180.5 * 1024 * 1024);
  CHECK(memory("dyno.memory.rss") == 180 * 1024 * 1024);
  CHECK(memory("dyno.memory.cache") == 512 * 1024);
  CHECK(memory("dyno.memory.swap") == 0);
  CHECK(memory("dyno.memory.quota") == 512 * 1024 * 1024);
  CHECK(find(snapshot, {SeriesKind::dyno_load, "dyno.load.1m", "web.1", ""})->last == 0.25);
  CHECK(find(snapshot, {SeriesKind::dyno_load, "dyno.load.5m", "web.1", ""})->last == 0.5);
  CHECK(find(snapshot, {SeriesKind::dyno_load, "dyno.load.15m", "web.1", ""})->last == 1);
  CHECK(find(snapshot, {kSample, "memory_pgpgin", "other", "pages"})->last == 84);
  // Not what the platform writes.
  CHECK(find(snapshot, {kMeasure, "memory_total", "web.1", "bytes"}));
  CHECK(find(snapshot, {kSample, "memory_rss", "web.1", ""})->last == 7);

  SUBCASE("and are not shown once the dyno went") {
    const Micros later = kNow + 181 * kSecond;
    add(share, "sample#memory_pgpgin=84pages source=other", later);
    const auto left = merged(*f.table, later, share);
    CHECK_FALSE(find(left, {SeriesKind::dyno_memory, "dyno.memory.rss", "web.1", "bytes"}));
    CHECK(find(left, {kSample, "memory_pgpgin", "other", "pages"}));
  }
  SUBCASE("users' own lines are what they say") {
    add(share, "sample#memory_total=1MB source=web.9");
    CHECK(find(merged(*f.table, kNow, share), {kSample, "memory_total", "web.9", "bytes"}));
  }
}

TEST_CASE("requests by dyno and by host") {
  Fixture f;
  SeriesCounts share(f.table);
  OpenWindow window;
  const auto request = [&](SeriesKind kind, std::string_view source, double service, uint16_t status) {
    share.add_request(kind, source, service, status, {kNow, {1}}, kNow, &window);
  };
  request(SeriesKind::router_dyno, "web.1", 0.1, 200);
  request(SeriesKind::router_dyno, "web.1", 0.3, 204);
  request(SeriesKind::router_dyno, "web.1", kAbsent, 503);
  request(SeriesKind::router_dyno, "", 30, 503);  // H10: there was no dyno
  request(SeriesKind::router_host, "a.example", 0.5, 0);
  const auto snapshot = merged(*f.table, kNow, share);
  CHECK(snapshot.values.size() == 5);
  const auto* service = find(snapshot, {SeriesKind::router_dyno, "router.service", "web.1", "seconds"});
  REQUIRE(service);
  CHECK(service->count == 2);
  CHECK(service->sum == doctest::Approx(0.4));
  CHECK(service->quantiles.back() == 0.3);
  CHECK(find(snapshot, {SeriesKind::router_dyno, "router.status.2xx", "web.1", ""})->count == 2);
  CHECK(find(snapshot, {SeriesKind::router_dyno, "router.status.5xx", "web.1", ""})->count == 1);
  CHECK(find(snapshot, {SeriesKind::router_host, "router.status.none", "a.example", ""})->count == 1);
  uint64_t lines = 0;
  window.for_each([&](SeriesId id, const Cell& cell) {
    if (f.table->name(id)->name == "router.status.2xx") lines = cell.count();
  });
  CHECK(lines == 2);
}

TEST_CASE("what finds no room counts in the overflow series, so that sums stay whole") {
  Fixture f(3);
  SeriesCounts share(f.table);
  OpenWindow window;
  double total = 0;
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 50; ++i) {
      add(share, "count#n" + std::to_string(i) + "=" + std::to_string(i), kNow, 1, &window);
      total += i;
    }
  const auto snapshot = merged(*f.table, kNow, share);
  CHECK(snapshot.values.size() == 4);
  CHECK(snapshot.totals.series == 3);
  CHECK(snapshot.totals.folded == 47);
  double sum = 0, in_window = 0;
  for (const auto& values : snapshot.values) sum += values.sum;
  window.for_each([&](SeriesId, const Cell& cell) { in_window += cell.sum(); });
  CHECK(sum == total);
  CHECK(in_window == total);
  CHECK(find(snapshot, {kCount, "_overflow", "", ""})->count == 141);

  SUBCASE("once there is room they are admitted, whatever was remembered") {
    f.limits.set(1000, 1000);
    add(share, "count#n49=1");
    CHECK(find(merged(*f.table, kNow, share), {kCount, "n49", "", ""})->sum == 1);
  }
  SUBCASE("what goes on being folded is told again") {
    CHECK(f.table->take_notice(kNow).find(" 47 series ") != std::string::npos);
    add(share, "count#n48=1");
    add(share, "count#n49=1");
    CHECK(f.table->take_notice(kNow + 61 * kSecond).find(" 2 series ") != std::string::npos);
  }
}

TEST_CASE("a share that holds an expired series finds out") {
  Fixture f(1);
  SeriesCounts one(f.table), two(f.table);
  add(one, "count#a=5");
  add(two, "count#a=6");
  CHECK(find(merged(*f.table, kNow, one, two), {kCount, "a", "", ""})->sum == 11);
  const Micros later = kNow + 2 * kHour;
  f.table->expire(later);
  add(one, "count#a=1", later);
  const auto snapshot = merged(*f.table, later, one, two);
  REQUIRE(snapshot.values.size() == 1);
  CHECK(snapshot.values[0].sum == 1);  // a new series under the old name: a counter that began again
  const size_t before = one.memory();
  f.table->expire(later + 2 * kHour);
  CHECK(merged(*f.table, later + 2 * kHour, one, two).values.empty());
  CHECK(one.memory() < before);
  add(two, "count#b=7", later + 2 * kHour);
  CHECK(find(merged(*f.table, later + 2 * kHour, one, two), {kCount, "b", "", ""})->sum == 7);
}

TEST_CASE("pairs that are no values and labels that are none are counted by reason") {
  Fixture f;
  SeriesCounts one(f.table), two(f.table);
  add(one, "measure#a= measure#b=1,234 count#c=-1 measure#d=1");
  add(two, "measure#" + std::string(10'000, 'x') + "=1 measure#e=2");
  add(two, "measure#f=1 measure#g=2 source=\"\xff\xfe\"");
  const auto snapshot = merged(*f.table, kNow, one, two);
  CHECK(snapshot.rejected.empty == 1);
  CHECK(snapshot.rejected.not_a_number == 1);
  CHECK(snapshot.rejected.negative == 1);
  CHECK(snapshot.rejected.label == 3);
  CHECK(snapshot.values.size() == 2);
}

TEST_CASE("what is read again counts in its window alone") {
  Fixture f;
  SeriesCounts share(f.table);
  OpenWindow window;
  share.add(line_of("measure#a=1 count#b=-1 sample#c=4"), {kNow - kHour, {1}}, kNow, &window,
            Counting::replay);
  share.add_request(SeriesKind::router_dyno, "web.1", 1, 200, {kNow, {1}}, kNow, &window, Counting::replay);
  const auto snapshot = merged(*f.table, kNow, share);
  CHECK(snapshot.values.empty());
  CHECK(snapshot.rejected.negative == 0);
  CHECK(snapshot.totals.series == 4);
  size_t cells = 0;
  window.for_each([&](SeriesId, const Cell& cell) { cells += cell.count(); });
  CHECK(cells == 4);
}

TEST_CASE("many threads' shares are together what one share would be") {
  constexpr size_t kThreads = 4;
  constexpr int kLines = 20'000;
  std::mt19937 random(11);
  std::vector<std::string> messages;
  for (int i = 0; i < kLines; ++i) {
    const auto name = std::to_string(random() % 60);
    messages.push_back("measure#m" + name + "=" + std::to_string(static_cast<int>(random() % 2000) - 500) +
                       "ms count#c" + name + "=" + std::to_string(random() % 9) + " sample#s" + name + "=" +
                       std::to_string(random() % 1000) + " source=web." + std::to_string(random() % 3));
  }
  Fixture many(1000), single(1000);
  std::vector<std::unique_ptr<SeriesCounts>> shares;
  for (size_t t = 0; t < kThreads; ++t) shares.push_back(std::make_unique<SeriesCounts>(many.table));
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = t; i < messages.size(); i += kThreads)
        add(*shares[t], messages[i], kNow + static_cast<Micros>(i % 977), i);
    });
  for (auto& thread : threads) thread.join();
  SeriesCounts one(single.table);
  for (size_t i = 0; i < messages.size(); ++i) add(one, messages[i], kNow + static_cast<Micros>(i % 977), i);

  SeriesMerge merge;
  for (auto& share : shares) merge.add(*share, kNow + kSecond);
  const auto together = merge.finish(*many.table, kNow + kSecond);
  const auto alone = merged(*single.table, kNow + kSecond, one);
  REQUIRE(together.values.size() == alone.values.size());
  CHECK(alone.values.size() == 540);
  for (size_t i = 0; i < alone.values.size(); ++i) {
    const SeriesValues &a = alone.values[i], &b = together.values[i];
    CHECK(a.series->key() == b.series->key());
    CHECK(a.count == b.count);
    CHECK(a.sum == doctest::Approx(b.sum).epsilon(1e-14));
    CHECK(a.last == b.last);
    CHECK(a.last_at == b.last_at);
    if (a.series->kind == kMeasure) CHECK(a.quantiles == b.quantiles);
  }
}

TEST_CASE("threads count while series expire and are told of: nothing is lost but what expired") {
  Fixture f(20);
  constexpr int kLines = 20'000;
  std::atomic<bool> done{false};
  SeriesCounts one(f.table), two(f.table);
  const auto work = [&](SeriesCounts& share, int offset) {
    for (int i = 0; i < kLines; ++i) add(share, "count#n" + std::to_string((i * 7 + offset) % 40) + "=1");
  };
  std::thread left(work, std::ref(one), 0), right(work, std::ref(two), 3);
  std::thread keeper([&] {
    for (int i = 0; !done; ++i) {
      f.table->expire(kNow + i % 100);
      f.table->take_notice(kNow + i * 61 * kSecond);
      f.table->top(3);
    }
  });
  left.join();
  right.join();
  done = true;
  keeper.join();
  uint64_t counted = 0;
  for (const auto& values : merged(*f.table, kNow, one, two).values) counted += values.count;
  CHECK(counted == 2 * kLines);
  CHECK(f.table->totals().series == 20);
}

TEST_CASE("a sparse series takes less than 1 KiB, all of it counted") {
  constexpr int kSeries = 5000, kThreads = 2;
  // A block of its own shows whether the allocator's own account can be asked at all (not under sanitizers).
  const auto in_use = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  const size_t at_first = in_use();
  auto probe = std::make_unique<std::array<char, 64 * 1024>>();
  const bool measurable = in_use() - at_first >= sizeof *probe;
  probe.reset();

  std::vector<std::string> messages;
  for (int i = 0; i < kSeries; ++i)
    messages.push_back("measure#api.request.duration." + std::to_string(i) + "=" + std::to_string(i) +
                       "ms source=web." + std::to_string(i % 10));
  std::vector<SampleLine> lines;
  for (const auto& message : messages) lines.push_back(line_of(message));
  const size_t before = in_use();
  Fixture f(kSeries, kSeries);
  std::vector<std::unique_ptr<SeriesCounts>> shares;
  for (int t = 0; t < kThreads; ++t) shares.push_back(std::make_unique<SeriesCounts>(f.table));
  // Eight values in a minute, by two threads.
  for (int round = 0; round < 4; ++round)
    for (const auto& line : lines)
      for (auto& share : shares) share->add(line, {kNow, {1}}, kNow + round * 15 * kSecond, nullptr);
  const size_t taken = in_use() - before;
  size_t told = f.table->memory();
  for (const auto& share : shares) told += share->memory();
  MESSAGE("bytes per series of ", kThreads, " threads: ", taken / kSeries, ", as told: ", told / kSeries);
  CHECK(told / kSeries < 1024);
  if (measurable) {
    CHECK(taken / kSeries < 1024);
    CHECK(static_cast<double>(told) > 0.8 * static_cast<double>(taken));
  }
}
