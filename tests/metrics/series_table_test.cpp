#include "metrics/series/series_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "metrics/series/series_tables.h"
#include "tests/channels/log_fixture.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000, kMinutes = 60 * kSecond, kHour = 60 * kMinutes;
constexpr Micros kNow = 1'700'000'000 * kSecond;

SeriesKey measure(std::string_view name, std::string_view source = {}, std::string_view unit = {}) {
  return {SeriesKind::measure, name, source, unit};
}

std::string numbered(std::string_view before, int i) {
  return std::string(before) + std::to_string(i);
}

}  // namespace

TEST_CASE("fixed series have the names of the contract") {
  CHECK(fixed_series_name(series_service) ==
        SeriesName({SeriesKind::router, "router.service", "", "seconds"}));
  CHECK(fixed_series_name(series_bytes) == SeriesName({SeriesKind::router, "router.bytes", "", "bytes"}));
  CHECK(fixed_series_name(series_queue).unit.empty());
  CHECK(fixed_series_name(series_status_none).name == "router.status.none");
  CHECK(fixed_series_name(series_status_1xx).name == "router.status.1xx");
  CHECK(fixed_series_name(series_status_1xx + 4).name == "router.status.5xx");
  CHECK(fixed_series_name(series_error + 12).name == "router.error.H12");
  CHECK(fixed_series_name(series_error + 114).name == "platform.error.R14");
  CHECK(fixed_series_name(series_error + 210).name == "platform.error.L10");
  CHECK(fixed_series_name(series_error + 299).name == "platform.error.L99");
  CHECK(fixed_series_name(first_own_series).name.empty());
}

TEST_CASE("a series is its kind, name, source and unit") {
  SeriesLimits limits(1000, 1000);
  SeriesTable table(limits);
  const std::vector<SeriesKey> keys = {measure("a"),
                                       measure("a", "b"),
                                       measure("ab"),
                                       measure("a", "", "b"),
                                       measure("a", "b", "c"),
                                       measure("a", "bc"),
                                       {SeriesKind::count, "a", {}, {}}};
  std::set<SeriesId> ids;
  for (const SeriesKey& key : keys) {
    const SeriesPtr series = table.find_or_admit(key, kNow);
    CHECK(series->key() == key);
    CHECK_FALSE(series->overflow);
    CHECK(series->id >= first_own_series);
    CHECK(table.name(series->id) == SeriesName(key));
    ids.insert(series->id);
  }
  CHECK(ids.size() == keys.size());
  for (const SeriesKey& key : keys) CHECK(ids.contains(table.find_or_admit(key, kNow)->id));
  CHECK(table.totals().series == keys.size());
  CHECK(table.name(series_wait) == fixed_series_name(series_wait));
  CHECK_FALSE(table.name(first_own_series + 7));
}

TEST_CASE("what finds no room goes to the overflow series of its kind, and is counted once") {
  SeriesLimits limits(2, 1000);
  SeriesTable table(limits);
  table.find_or_admit(measure("a"), kNow);
  table.find_or_admit(measure("b"), kNow);
  const SeriesPtr c = table.find_or_admit(measure("c", "s", "bytes"), kNow);
  CHECK(c->overflow);
  CHECK(c->key() == measure("_overflow"));
  CHECK(table.find_or_admit(measure("d"), kNow) == c);
  CHECK(table.find_or_admit(measure("c", "s", "bytes"), kNow) == c);
  CHECK(table.totals().folded == 2);
  CHECK(table.totals().series == 2);

  const SeriesPtr n = table.find_or_admit({SeriesKind::count, "n", {}, {}}, kNow);
  CHECK(n->overflow);
  CHECK(n->id != c->id);
  CHECK(n->key() == SeriesKey{SeriesKind::count, "_overflow", {}, {}});

  SUBCASE("the router's own names stay what they are") {
    const SeriesKey dyno{SeriesKind::router_dyno, "router.service", "web.1", "seconds"};
    const SeriesPtr folded = table.find_or_admit(dyno, kNow);
    CHECK(folded->overflow);
    CHECK(folded->key() == SeriesKey{SeriesKind::router_dyno, "router.service", "_overflow", "seconds"});
  }
  SUBCASE("a user's own _overflow is the same series and not folded") {
    CHECK(table.find_or_admit(measure("_overflow"), kNow) == c);
    CHECK(table.totals().folded == 3);
  }
  SUBCASE("known series stay") {
    CHECK_FALSE(table.find_or_admit(measure("a"), kNow)->overflow);
  }
  SUBCASE("more room is used at once, less takes nothing away") {
    const uint64_t version = table.version();
    limits.set(3, 1000);
    CHECK(table.version() != version);
    CHECK_FALSE(table.find_or_admit(measure("c", "s", "bytes"), kNow)->overflow);
    limits.set(1, 1000);
    CHECK_FALSE(table.find_or_admit(measure("a"), kNow)->overflow);
    CHECK(table.find_or_admit(measure("e"), kNow)->overflow);
    CHECK(table.totals().series == 3);
    CHECK(table.totals().limit == 1);
  }
}

TEST_CASE("channels share the process's budget, and give back what they had") {
  SeriesTables tables(10, 15);
  const auto one = tables.open(1);
  CHECK(tables.open(1) == one);
  CHECK(tables.find(2) == nullptr);
  {
    const auto two = tables.open(2);
    for (int i = 0; i < 10; ++i) one->find_or_admit(measure(numbered("a", i)), kNow);
    for (int i = 0; i < 10; ++i) two->find_or_admit(measure(numbered("a", i)), kNow);
    CHECK(one->totals().series == 10);
    CHECK(two->totals().series == 5);
    CHECK(two->totals().folded == 5);
    CHECK(tables.limits().process.used() == 15);
    tables.forget(2);
    CHECK(tables.limits().process.used() == 15);  // a share still has it
  }
  CHECK(tables.find(2) == nullptr);
  CHECK(tables.limits().process.used() == 10);
  tables.expire(kNow + 2 * kHour);
  CHECK(tables.limits().process.used() == 0);
}

TEST_CASE("where there is room a series may be idle for a day") {
  SeriesLimits limits(2, 10);
  SeriesTable table(limits);
  const SeriesPtr job = table.find_or_admit(measure("a"), kNow);
  table.expire(kNow + 24 * kHour);
  CHECK_FALSE(job->expired());
  SUBCASE("then it goes") {
    table.expire(kNow + 24 * kHour + kSecond);
    CHECK(job->expired());
  }
  SUBCASE("or once more than half of the room is taken") {
    table.find_or_admit(measure("b"), kNow + 24 * kHour);
    table.expire(kNow + 24 * kHour);
    CHECK(job->expired());
  }
}

TEST_CASE("a series that was idle for an hour makes room and its id is not used again") {
  SeriesLimits limits(2, 2);
  SeriesTable table(limits);
  const SeriesPtr a = table.find_or_admit(measure("a"), kNow), b = table.find_or_admit(measure("b"), kNow);
  table.find_or_admit(measure("c"), kNow);
  CHECK(a->touch(kNow + 30 * kMinutes));
  table.expire(kNow + kHour);
  CHECK(table.totals().series == 2);  // not more than an hour yet
  table.expire(kNow + kHour + kSecond);
  CHECK(table.totals().series == 1);
  CHECK(limits.process.used() == 1);
  CHECK(b->expired());
  CHECK_FALSE(b->touch(kNow + kHour + kSecond));
  CHECK(a->touch(kNow + kHour + kSecond));
  CHECK(table.name(b->id) == SeriesName(measure("b")));  // windows may still hold it

  const SeriesPtr c = table.find_or_admit(measure("c"), kNow + kHour + kSecond);
  CHECK_FALSE(c->overflow);
  CHECK(table.find_or_admit(measure("b"), kNow + kHour + kSecond)->overflow);
  table.expire(kNow + 3 * kHour);
  CHECK_FALSE(table.name(b->id));
  const SeriesPtr again = table.find_or_admit(measure("b"), kNow + 3 * kHour);
  CHECK(again->id > c->id);
  CHECK(table.find_or_admit(measure("a"), kNow + 3 * kHour)->id > again->id);
  CHECK(table.totals().series == 2);
  CHECK(limits.process.used() == 2);
}

TEST_CASE("a dyno's gauges go after three minutes") {
  SeriesLimits limits(10, 10);
  SeriesTable table(limits);
  table.find_or_admit({SeriesKind::dyno_memory, "dyno.memory.rss", "web.1", "bytes"}, kNow);
  table.find_or_admit({SeriesKind::dyno_load, "dyno.load.1m", "web.1", {}}, kNow);
  table.find_or_admit(measure("a"), kNow);
  table.expire(kNow + 3 * kMinutes);
  CHECK(table.totals().series == 3);
  table.expire(kNow + 3 * kMinutes + 1);
  CHECK(table.totals().series == 1);
}

TEST_CASE("threads that admit at once never pass the bounds, nor part a series in two") {
  constexpr int kThreads = 4, kNames = 400;
  SeriesLimits limits(250, 300);
  SeriesTable table(limits), other(limits);
  std::vector<std::vector<SeriesPtr>> seen(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kNames; ++i) {
        const int which = (i * 7 + t * 131) % kNames;
        SeriesTable& mine = which % 2 ? table : other;
        seen[static_cast<size_t>(t)].push_back(mine.find_or_admit(measure(numbered("n", which)), kNow));
        if (i % 50 == 0) mine.expire(kNow + kSecond);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(table.totals().series + other.totals().series == 300);
  CHECK(limits.process.used() == 300);
  // 200 names each, of which each had room for 100 at least.
  CHECK(table.totals().folded + other.totals().folded == 100);
  for (int t = 0; t < kThreads; ++t)
    for (int i = 0; i < kNames; ++i) {
      const int which = (i * 7 + t * 131) % kNames;
      const SeriesPtr& series = seen[static_cast<size_t>(t)][static_cast<size_t>(i)];
      const SeriesPtr now = (which % 2 ? table : other).find_or_admit(measure(numbered("n", which)), kNow);
      CHECK(now == series);
    }
}

TEST_CASE("labels that exposition could not show are no series") {
  CHECK(good_labels(measure(std::string(255, 'x'), std::string(255, 'y'), "pages")));
  CHECK(good_labels(measure("a\"} 1\nevil 2", "naïve")));
  CHECK_FALSE(good_labels(measure("")));
  CHECK_FALSE(good_labels(measure(std::string(256, 'x'))));
  CHECK_FALSE(good_labels(measure("a", std::string(256, 'x'))));
  CHECK_FALSE(good_labels(measure("a", "", std::string(256, 'x'))));
  CHECK_FALSE(good_labels(measure("a\xff")));
  CHECK_FALSE(good_labels(measure("a", "\xc3")));
}

TEST_CASE("the tenant is told at most once a minute, of what was folded since the last time") {
  SeriesLimits limits(1, 1);
  SeriesTable table(limits);
  table.find_or_admit(measure("a"), kNow);
  CHECK(table.take_notice(kNow).empty());
  table.find_or_admit(measure("b"), kNow + 3 * kSecond);
  table.find_or_admit(measure("c"), kNow + 4 * kSecond);
  table.find_or_admit(measure("b"), kNow + 5 * kSecond);
  const uint64_t version = table.version();
  CHECK(table.take_notice(kNow + 10 * kSecond) ==
        "2023-11-14T22:13:30.000000+00:00 tailrace[metrics]: Error L16 (series limit): 2 series folded into "
        "_overflow since 2023-11-14T22:13:23+00:00.");
  CHECK(table.version() != version);  // shares report b again
  CHECK(table.take_notice(kNow + 80 * kSecond).empty());

  table.find_or_admit(measure("b"), kNow + 81 * kSecond);
  CHECK(table.take_notice(kNow + 82 * kSecond)
            .find(" 1 series folded into _overflow since "
                  "2023-11-14T22:14:41+00:00.") != std::string::npos);
  table.find_or_admit(measure("b"), kNow + 90 * kSecond);
  CHECK(table.take_notice(kNow + 141 * kSecond).empty());
  CHECK_FALSE(table.take_notice(kNow + 142 * kSecond).empty());
  CHECK(table.totals().folded == 2);

  SUBCASE("a clock that was set back does not silence it") {
    table.find_or_admit(measure("b"), kNow - kHour);
    CHECK_FALSE(table.take_notice(kNow - kHour).empty());
  }
  SUBCASE("in the channel's log") {
    LogFixture f;
    table.tell(*f.channel, kNow + kHour);
    CHECK(history_of(f.log(), 1).notices.empty());
    table.find_or_admit(measure("d"), kNow + kHour);
    table.tell(*f.channel, kNow + kHour);
    table.tell(*f.channel, kNow + 2 * kHour);
    const auto notices = history_of(f.log(), 1).notices;
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].find("tailrace[metrics]: Error L16 (series limit): 1 series") != std::string::npos);
  }
}

TEST_CASE("a million names take bounded memory and are counted well enough") {
  SeriesLimits limits(100, 100'000);
  SeriesTable table(limits);
  uint64_t before = 0;
  const std::string tail(200, 'x');
  for (int i = 0; i < 1'000'000; ++i) {
    table.find_or_admit(measure(numbered("api.users.", i) + "." + tail, tail), kNow);
    if (i % 1009 != 0) continue;
    const uint64_t folded = table.totals().folded, real = static_cast<uint64_t>(std::max(0, i - 99));
    REQUIRE(folded >= before);
    before = folded;
    if (real <= Distinct::kKept) REQUIRE(folded == real);
  }
  CHECK(table.totals().series == 100);
  CHECK(table.memory() < 400 * 1024);
  // Six standard deviations.
  CHECK(std::abs(static_cast<double>(table.totals().folded) / 999'900 - 1) < 0.19);
  const auto top = table.top(5);
  REQUIRE(top.size() == 1);
  CHECK(top[0].name == "api.users.*.*");
  CHECK(top[0].series == table.totals().folded + 100);
}

TEST_CASE("of very many series some stand for all") {
  SeriesLimits limits(100'000, 100'000);
  SeriesTable table(limits);
  for (int i = 0; i < 60'000; ++i)
    table.find_or_admit(measure(numbered(i % 3 ? "api.users." : "job.", i) + ".time"), kNow);
  const auto top = table.top(5);
  REQUIRE(top.size() == 2);
  CHECK(top[0].name == "api.users.*.time");
  CHECK(std::abs(static_cast<double>(top[0].series) - 40'000) < 100);
  CHECK(std::abs(static_cast<double>(top[1].series) - 20'000) < 100);
}

TEST_CASE("distinct hashes are counted exactly up to the bound") {
  Distinct distinct;
  uint64_t hash = 1;
  std::vector<uint64_t> all;
  for (size_t i = 0; i < Distinct::kKept; ++i) {
    hash = hash * 6364136223846793005u + 1442695040888963407u;
    all.push_back(hash);
    CHECK(distinct.add(hash));
    CHECK_FALSE(distinct.add(hash));
    CHECK(distinct.count() == i + 1);
  }
  for (const uint64_t known : all) CHECK_FALSE(distinct.add(known));
  CHECK(distinct.count() == Distinct::kKept);
  distinct.clear();
  CHECK(distinct.count() == 0);
  CHECK(distinct.memory() == 0);
  CHECK(distinct.add(all[5]));
}

TEST_CASE("series are listed in pages") {
  SeriesLimits limits(5, 100);
  SeriesTable table(limits);
  for (int i = 0; i < 7; ++i) table.find_or_admit(measure(numbered("a", i)), kNow);
  const auto page = table.list(0, 4);
  REQUIRE(page.size() == 4);
  CHECK(page[0]->key().name == "a0");
  const auto rest = table.list(page.back()->id, 4);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0]->key().name == "a4");
  CHECK(rest[1]->overflow);
  CHECK(table.list(rest.back()->id, 4).empty());
}
