#include "web/overview.h"

#include <doctest/doctest.h>

#include "web/overview_routes.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kNow = 1'700'000'000 * kSecond;
const Permissions kAll = [] {
  Permissions all;
  all.full_api = true;
  return all;
}();

OverviewRow row(std::string id, std::string name = "", double rate = 0) {
  OverviewRow row;
  row.id = std::move(id);
  row.name = std::move(name);
  row.recent.records_per_second = rate;
  return row;
}

/// With requests, of which some failed, and all of which took that long.
OverviewRow routed(std::string id, uint64_t requests, uint64_t failed, double seconds) {
  OverviewRow r = row(std::move(id));
  r.recent.requests = r.recent.timed = requests;
  r.recent.failed = failed;
  r.recent.p50 = r.recent.p95 = r.recent.p99 = seconds;
  return r;
}

SeenDrain drain(DrainState state, Micros since = kNow) {
  SeenDrain drain;
  drain.state = state;
  drain.since = since;
  return drain;
}

SeenDrain lost(uint64_t records, Micros until) {
  SeenDrain seen = drain(DrainState::ok);
  seen.dropped[static_cast<size_t>(DropReason::overflow)] = records;
  seen.losses.push_back({Position{1}, records, until - kSecond, until, DropReason::overflow});
  return seen;
}

SeenDrain lagging(double seconds, uint64_t records = 1, DrainState state = DrainState::ok) {
  SeenDrain seen = drain(state);
  seen.buffered = records;
  seen.oldest = kNow - static_cast<Micros>(seconds * 1e6);
  return seen;
}

OverviewRow with(OverviewRow row, const std::vector<SeenDrain>& drains) {
  for (const SeenDrain& drain : drains) row.add(drain, kNow);
  return row;
}

std::string troubles(OverviewRow row) {
  row.judge(kNow);
  std::string text;
  for (const Trouble trouble : row.troubles)
    text += (text.empty() ? "" : " ") + std::string(kTroubles[static_cast<size_t>(trouble)]);
  return text;
}

std::string ids(const Overview::Page& page) {
  std::string text;
  for (const OverviewRow* row : page.rows) text += (text.empty() ? "" : " ") + row->id;
  return text;
}

std::string sorted(const std::vector<OverviewRow>& rows, OverviewSort sort) {
  OverviewQuery query;
  query.sort = sort;
  const Overview overview(kNow, rows);
  return ids(overview.page(query, kAll));
}

std::string asked(const std::string& text) {
  HttpRequest request;
  request.target = "/v3/overview" + text;
  std::string error;
  const auto query = overview_query(request, error);
  if (!query) return error.substr(0, error.find(':'));
  return std::string(kOverviewSorts[static_cast<size_t>(query->sort)]) + " '" + query->search + "' " +
         std::to_string(query->offset) + " " + std::to_string(query->limit);
}

}  // namespace

TEST_CASE("overview: who is slow, and whose requests fail") {
  CHECK(troubles(row("1")).empty());
  CHECK(troubles(routed("1", 20, 0, 1)) == "slow");
  CHECK(troubles(routed("1", 19, 0, 9)).empty());
  CHECK(troubles(routed("1", 20, 0, 0.99)).empty());
  CHECK(troubles(routed("1", 500, 5, 0.1)) == "errors");
  CHECK(troubles(routed("1", 501, 5, 0.1)).empty());
  CHECK(troubles(routed("1", 4, 4, 0.1)).empty());
  CHECK(troubles(routed("1", 50, 5, 2)) == "errors slow");
  OverviewRow untimed = routed("1", 100, 0, 5);
  untimed.recent.timed = 19;  // most lines had no time of service
  CHECK(troubles(untimed).empty());
  CHECK_FALSE(row("1").error_share());
  CHECK(*routed("1", 8, 2, 1).error_share() == 0.25);
}

TEST_CASE("overview: what drains add") {
  CHECK(troubles(with(row("1"), {drain(DrainState::ok), drain(DrainState::pending)})).empty());
  CHECK(troubles(with(row("1"), {lost(1, kNow - 300 * kSecond)})) == "losing");
  CHECK(troubles(with(row("1"), {lost(1, kNow - 301 * kSecond)})).empty());
  CHECK(troubles(with(row("1"), {drain(DrainState::failing)})) == "failing");
  CHECK(troubles(with(row("1"), {drain(DrainState::paused)})) == "failing");
  CHECK(troubles(with(row("1"), {lagging(30)})) == "lagging");
  CHECK(troubles(with(row("1"), {lagging(29.9)})).empty());
  CHECK(troubles(with(row("1"), {lagging(3000, 1, DrainState::failing)})) == "failing");
  SeenDrain held = lagging(10, 1, DrainState::paused);
  held.held = true;
  CHECK(troubles(with(row("1"), {held})).empty());
  held.oldest = kNow - 31 * kSecond;
  CHECK(troubles(with(row("1"), {held})) == "lagging");
  CHECK(troubles(with(routed("1", 20, 20, 5), {lost(3, kNow), drain(DrainState::failing), lagging(40)})) ==
        "losing failing errors slow lagging");

  const OverviewRow all =
      with(row("1"),
           {lost(3, kNow - 400 * kSecond), lost(4, kNow - 20 * kSecond), lagging(7, 2), lagging(5, 9),
            drain(DrainState::failing, kNow - 50 * kSecond), drain(DrainState::paused, kNow - 70 * kSecond)});
  CHECK(all.drains == DrainsByState{0, 4, 1, 1});
  CHECK(all.dropped[static_cast<size_t>(DropReason::overflow)] == 7);
  CHECK(all.lost_at == kNow - 20 * kSecond);
  CHECK(all.lost_lately == 4);
  CHECK(all.lag_seconds == 7);
  CHECK(all.lag_records == 9);
  CHECK(all.failing_since == kNow - 70 * kSecond);
}

TEST_CASE("overview: worst first, then how bad it is, then by rate, and rows keep their places") {
  std::vector<OverviewRow> rows;
  rows.push_back(row("quiet"));
  rows.push_back(row("busy", "", 900));
  rows.push_back(with(row("lagging"), {lagging(40)}));
  rows.push_back(routed("slow", 30, 0, 2));
  rows.push_back(routed("slower", 30, 0, 9));
  rows.push_back(routed("errors", 100, 9, 0.1));
  rows.push_back(with(row("failing"), {drain(DrainState::failing, kNow - 5 * kSecond)}));
  rows.push_back(with(row("failing-for-long"), {drain(DrainState::failing, kNow - 500 * kSecond)}));
  rows.push_back(with(row("losing"), {lost(10, kNow)}));
  rows.push_back(with(row("losing-much"), {lost(1000, kNow)}));
  CHECK(sorted(rows, OverviewSort::worst) ==
        "losing-much losing failing-for-long failing errors slower slow lagging busy quiet");

  // Nearly the same, the other way round a moment later: names decide both times.
  CHECK(sorted({row("2", "b", 10.1), row("1", "a", 10.0)}, OverviewSort::worst) == "1 2");
  CHECK(sorted({row("2", "b", 10.0), row("1", "a", 10.1)}, OverviewSort::worst) == "1 2");
  OverviewRow a = routed("a", 30, 0, 1.3), b = routed("b", 30, 0, 1.2);
  CHECK(sorted({b, a}, OverviewSort::worst) == "a b");
  std::swap(a.recent.p95, b.recent.p95);
  CHECK(sorted({b, a}, OverviewSort::worst) == "a b");
  b.recent.records_per_second = 100;
  CHECK(sorted({a, b}, OverviewSort::worst) == "b a");
}

TEST_CASE("overview: the other orders") {
  std::vector<OverviewRow> rows = {row("10", "Beta", 1), row("9", "beta", 5), row("x", "", 3),
                                   row("2", "alpha", 5)};
  CHECK(sorted(rows, OverviewSort::name) == "2 9 10 x");
  CHECK(sorted(rows, OverviewSort::rate) == "2 9 x 10");
  CHECK(sorted({row("none", "", 9), routed("fast", 1, 0, 0), routed("slow", 1, 0, 3)}, OverviewSort::p95) ==
        "slow fast none");
  CHECK(sorted({row("none", "", 9), routed("good", 9, 0, 0), routed("bad", 9, 1, 3)}, OverviewSort::errors) ==
        "bad good none");
  CHECK(sorted({row("none", "", 9), with(row("behind"), {lagging(3)}), with(row("far"), {lagging(4)}),
                row("idle")},
               OverviewSort::lag) == "far behind none idle");
  CHECK(sorted({row("none"), with(row("old"), {lost(7, kNow - 4000 * kSecond)}),
                with(row("new"), {lost(2, kNow)})},
               OverviewSort::loss) == "old new none");
}

TEST_CASE("overview: search and pages") {
  std::vector<OverviewRow> rows;
  for (int i = 1; i <= 120; ++i) rows.push_back(row(std::to_string(i), "App " + std::to_string(i), 1));
  rows.push_back(row("Übung", "", 1));
  const Overview overview(kNow, std::move(rows));
  const auto page = [&](std::string search, size_t offset, size_t limit) {
    OverviewQuery query;
    query.search = std::move(search);
    query.offset = offset;
    query.limit = limit;
    query.sort = OverviewSort::rate;
    return overview.page(query, kAll);
  };
  CHECK(page("", 0, 50).rows.size() == 50);
  CHECK(page("", 0, 50).matching == 121);
  CHECK(page("", 100, 50).rows.size() == 21);
  CHECK(page("", 121, 50).rows.empty());
  CHECK(page("", 1'000'000'000, 200).rows.empty());
  CHECK(ids(page("aPP 12", 0, 50)) == "12 120");
  CHECK(ids(page("app 12", 1, 1)) == "120");
  CHECK(page("app 12", 0, 1).matching == 2);
  CHECK(page("app 12", 0, 1).total == 121);
  CHECK(ids(page("bung", 0, 50)) == "Übung");
  CHECK(page("nobody", 0, 50).rows.empty());
  CHECK(page("nobody", 0, 50).records_per_second == 121);
  // Pages one behind the other are the whole, once each.
  std::string all;
  for (size_t offset = 0; offset < 121; offset += 13) all += ids(page("", offset, 13)) + " ";
  CHECK(all == ids(page("", 0, 200)) + " ");
}

TEST_CASE("overview: who may read some channels sees and counts those alone") {
  const Overview overview(
      kNow, {with(row("1", "a", 5), {drain(DrainState::ok)}),
             with(row("2", "b", 7), {drain(DrainState::failing), lost(3, kNow)}), row("3", "c", 11)});
  Permissions reader;
  reader.read = {"1", "3", "nobody's"};
  const Overview::Page page = overview.page({}, reader);
  CHECK(ids(page) == "3 1");
  CHECK(page.total == 2);
  CHECK(page.matching == 2);
  CHECK(page.records_per_second == 16);
  CHECK(page.drains == DrainsByState{0, 1, 0, 0});
  CHECK(overview.page({}, {}).total == 0);
  Permissions writer;
  writer.any_channel = true;
  CHECK(overview.page({}, writer).rows.empty());
  CHECK(overview.page({}, kAll).drains == DrainsByState{0, 2, 1, 0});
}

TEST_CASE("overview: what a query asks for") {
  CHECK(asked("") == "worst '' 0 50");
  CHECK(asked("?sort=p95&search=My%20App&offset=100&limit=200") == "p95 'My App' 100 200");
  CHECK(asked("?sort=&limit=&offset=&search=") == "worst '' 0 50");
  for (const char* sort : {"Worst", "best", "p99", "-rate"})
    CHECK(asked("?sort=" + std::string(sort)) == "sort");
  for (const char* limit : {"0", "201", "-1", "x", "1e2", "18446744073709551616"})
    CHECK(asked("?limit=" + std::string(limit)) == "limit");
  for (const char* offset : {"-1", "x", "1000000001", "18446744073709551616"})
    CHECK(asked("?offset=" + std::string(offset)) == "offset");
}
