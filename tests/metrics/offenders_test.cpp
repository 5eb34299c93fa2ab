#include "metrics/series/offenders.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

WeightedSeries measure(std::string name, std::string source = "", double weight = 1) {
  return {SeriesName({SeriesKind::measure, name, source, ""}), weight};
}

}  // namespace

TEST_CASE("pieces that differ from series to series are starred") {
  CHECK(label_template("api.users.42.time") == "api.users.*.time");
  CHECK(label_template("api/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301/time") == "api/users/*/time");
  CHECK(label_template("3f2504e0-4f89-11d3-9a0c-0305e82c3301") == "*");
  CHECK(label_template("job.8601b5556a834c128269.ms") == "job.*.ms");
  CHECK(label_template("ip-10-1-22-3") == "ip-*-*-*-*");
  CHECK(label_template("user12345:age") == "user*:age");
  CHECK(label_template("x." + std::string(25, 'q') + ".y") == "x.*.y");
  CHECK(label_template("") == "");
  CHECK(label_template("..") == "..");
  CHECK(label_template("1.") == "*.");
}

TEST_CASE("pieces that say something stay") {
  for (const char* name : {"db.latency.p99", "http.5xx", "load-avg-1m", "facade", "cache.deadbeef", "utf8",
                           "db.latency", "HEROKU_POSTGRESQL_VIOLET", "naïve.zeit"})
    CHECK(label_template(name) == name);
}

TEST_CASE("the greatest templates come first, each with an example") {
  std::vector<WeightedSeries> all;
  for (int i = 0; i < 90; ++i) all.push_back(measure("api.users." + std::to_string(i) + ".time"));
  for (int i = 0; i < 5; ++i) all.push_back(measure("db.latency", "web." + std::to_string(i)));
  all.push_back(measure("queue"));
  all.push_back({SeriesName({SeriesKind::count, "api.users.7.time", "", ""}), 1});
  const auto top = top_offenders(all, 3);
  REQUIRE(top.size() == 3);
  CHECK(top[0].name == "api.users.*.time");
  CHECK(top[0].series == 90);
  CHECK(top[0].kind == SeriesKind::measure);
  CHECK(top[0].example == all[0].series);
  CHECK(top[1].name == "db.latency");
  CHECK(top[1].source == "web.*");
  CHECK(top[1].series == 5);
  CHECK(top[2].series == 1);
}

TEST_CASE("ten templates that differ in one piece are one") {
  std::vector<WeightedSeries> all;
  for (char c = 'a'; c < 'a' + 9; ++c) all.push_back(measure(std::string("user.") + c + ".time"));
  CHECK(top_offenders(all, 100).size() == 9);
  all.push_back(measure("user.zz.time"));
  all.push_back(measure("user.zz.count"));
  auto top = top_offenders(all, 100);
  REQUIRE(top.size() == 2);
  CHECK(top[0].name == "user.*.time");
  CHECK(top[0].series == 10);
  CHECK(top[1].name == "user.zz.count");

  all.clear();
  for (char c = 'a'; c < 'a' + 12; ++c) all.push_back(measure("db", std::string("host") + c));
  all.push_back(measure("db"));
  top = top_offenders(all, 100);
  REQUIRE(top.size() == 2);
  CHECK(top[0].source == "*");
  CHECK(top[0].series == 12);
  CHECK(top[1].source == "");
}

TEST_CASE("what a sample stands for is counted, and nothing else") {
  std::vector<WeightedSeries> all = {measure("a.1", "", 3.25), measure("a.2", "", 3.25), measure("b")};
  const auto top = top_offenders(all, 100);
  REQUIRE(top.size() == 2);
  CHECK(top[0].series == 7);  // 6.5, rounded
  CHECK(top[1].series == 1);
  CHECK(top_offenders({}, 5).empty());
}
