#include "web/rollup_routes.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/time_text.h"
#include "web/rollup_answer.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
const Micros kNow = *parse_rfc3339("2026-11-21T12:34:56.5Z");

std::optional<RollupQuery> query_of(const std::string& text, std::string& error) {
  HttpRequest request;
  request.target = "/v3/channels/1/metrics" + text;
  return rollup_query(request, kNow, error);
}

/// `FROM TO STEP` of a good query, or the error.
std::string said(const std::string& text) {
  std::string error;
  const auto query = query_of(text, error);
  if (!query) return error.substr(0, error.find(':'));
  return rfc3339_json(query->from).substr(11, 5) + " " + rfc3339_json(query->to).substr(11, 5) + " " +
         std::to_string(query->step / kSecond);
}

}  // namespace

TEST_CASE("metrics over time: what a query asks for, in whole steps") {
  CHECK(said("") == "11:34 12:35 60");
  CHECK(said("?from=2h") == "10:34 12:35 60");
  CHECK(said("?from=2h&to=1h") == "10:34 11:35 60");
  CHECK(said("?from=2h&step=10m") == "10:30 12:40 600");
  CHECK(said("?from=2h&step=600") == "10:30 12:40 600");
  CHECK(said("?from=2h&step=1h") == "10:00 13:00 3600");
  CHECK(said("?step=120&to=now") == "11:34 12:36 120");
  CHECK(said("?from=2026-11-21T10:00:00Z&to=2026-11-21T11:00:00Z") == "10:00 11:00 60");
  CHECK(said("?from=2026-11-21T12:00:00+02:00&to=2026-11-21T12:00:30%2B02:00") == "10:00 10:01 60");
  CHECK(said("?from=1795255200&to=1795258800&step=3600") == "10:00 11:00 3600");
  CHECK(said("?to=2026-11-21T11:00:00Z") == "10:00 11:00 60");
  CHECK(said("?from=7d") == "12:34 12:35 60");

  for (const char* step : {"0", "59", "61", "90", "30s", "1m30s", "8d", "x", "-60", "18446744073709551616",
                           "18446744073709551615", "9999999999999d"})
    CHECK(said("?step=" + std::string(step)) == "step");
  for (const char* time : {"x", "-5", "2026-13-01T00:00:00Z", "99999999999999999999", "253402300800",
                           "100000000d", "9223372036854775807ms", "%00"}) {
    CHECK(said("?from=" + std::string(time)) == "from");
    CHECK(said("?to=" + std::string(time)) == "to");
  }
  CHECK(said("?from=1h&to=1h") == "from");
  CHECK(said("?from=1h&to=2h") == "from");
  CHECK(said("?from=0") == "step");  // too many
  CHECK(said("?from=0&to=9999-12-31T23:59:59Z&step=7d") == "step");
  CHECK(said("?from=8d") == "step");
  CHECK(said("?from=8d&step=10m") == "12:30 12:40 600");
}

TEST_CASE("metrics over time: filters come as lists, repeated or both") {
  std::string error;
  const auto query = query_of("?name=a,b&name=c%2Cd&source=web.2,,web.1&name=", error);
  REQUIRE(query);
  CHECK(query->filter.names == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(query->filter.sources == std::vector<std::string>{"web.2", "web.1"});
}

TEST_CASE("metrics over time: an empty source names the series without one") {
  std::string error;
  const auto filter = [&](const std::string& text) { return query_of(text, error)->filter; };
  const SeriesName all(SeriesKey{SeriesKind::router, "router.service", "", "seconds"});
  const SeriesName dyno(SeriesKey{SeriesKind::router_dyno, "router.service", "web.1", "seconds"});
  CHECK(filter("?source=").wants(all));
  CHECK(!filter("?source=").wants(dyno));
  CHECK(filter("?source=&source=web.1").wants(all));
  CHECK(filter("?source=&source=web.1").wants(dyno));
  CHECK(!filter("?source=web.1").wants(all));
  CHECK(filter("?name=router.service").wants(dyno));
}

TEST_CASE("metrics over time: JSON and CSV of any names and numbers") {
  const Micros begin = *parse_rfc3339("2026-11-21T10:00:00Z");
  const RollupQuery query{begin, begin + 10 * kMinute, kMinute, {}};
  RollupStore::Answer answer;
  answer.late = 4;
  answer.marks = {{begin + 5 * kSecond, PlatformEvent::deploy, "api", "Deploy \"x\"\n\xff"}};
  answer.whole_from = {begin - kMinute / 2, 0, 0};
  const SeriesName odd(SeriesKey{SeriesKind::measure, "a,\"b\"\xff", "\n", "%"});
  Cell& cell = answer.windows[{begin, kMinute}][odd];
  cell.add(0.1, {begin, {1}});
  cell.add(0.2, {begin, {2}});
  answer.windows[{begin + 3 * kMinute, kMinute}][odd].add(1e300, {begin, {3}});
  answer.windows[{begin, 10 * kMinute}][odd].add(9, {begin, {4}});  // longer than a step
  answer.windows[{begin + 10 * kMinute, kMinute}][odd].add(9, {begin, {5}});
  const RollupSteps steps = steps_of(answer, query);
  CHECK(steps.points == 2);

  const auto json = nlohmann::json::parse(rollup_json(query, steps, answer));
  CHECK(json["from"] == "2026-11-21T10:00:00.000Z");
  CHECK(json["to"] == "2026-11-21T10:10:00.000Z");
  CHECK(json["step"] == 60);
  CHECK(json["late"] == 4);
  CHECK(json["whole_from"] == "2026-11-21T10:00:00.000Z");
  CHECK(json["events"][0]["event"] == "deploy");
  CHECK(json["events"][0]["text"] == "Deploy \"x\"\n\xef\xbf\xbd");
  REQUIRE(json["series"].size() == 1);
  const auto& series = json["series"][0];
  CHECK(series["name"] == "a,\"b\"\xef\xbf\xbd");
  CHECK(series["source"] == "\n");
  CHECK(series["unit"] == "%");
  REQUIRE(series["points"].size() == 2);
  const auto& point = series["points"][0];
  CHECK(point["time"] == "2026-11-21T10:00:00.000Z");
  CHECK(point["count"] == 2);
  CHECK(point["sum"] == 0.1 + 0.2);
  CHECK(point["max"] == 0.2);
  CHECK(point["last"] == 0.2);
  CHECK(series["points"][1]["sum"] == 1e300);

  const std::string csv = rollup_csv(steps);
  CHECK(csv.starts_with(
      "time,name,source,unit,kind,count,sum,min,max,mean,median,p95,p99,last\r\n"
      "2026-11-21T10:00:00.000Z,\"a,\"\"b\"\"\xff\",\"\n\",%,measure,2,0.30000000000000004,0.1,0.2,"));
}

TEST_CASE("metrics over time: steps of several windows, and which of them miss nothing") {
  const Micros hour = *parse_rfc3339("2026-11-21T10:00:00Z");
  RollupStore::Answer answer;
  const SeriesName name(SeriesKey{SeriesKind::router, "router.service", "", "seconds"});
  answer.windows[{hour, 60 * kMinute}][name].add_lines(1, {});
  answer.windows[{hour + 10 * kMinute, 10 * kMinute}][name].add_lines(2, {});
  answer.windows[{hour + 30 * kMinute, kMinute}][name].add_lines(4, {});
  answer.whole_from = {hour + 21 * kMinute, hour + 10 * kMinute, hour - 1};
  const auto counts = [&](Micros step) {
    RollupStore::Answer copy;
    for (const auto& [span, cells] : answer.windows)
      for (const auto& [series, cell] : cells) copy.windows[span][series].merge(cell);
    copy.whole_from = answer.whole_from;
    const RollupSteps steps = steps_of(copy, {hour, hour + 60 * kMinute, step, {}});
    std::string text = std::to_string((steps.whole_from - hour) / kMinute) + ":";
    for (const auto& [time, cell] : steps.series.at(name))
      text += " " + std::to_string((time - hour) / kMinute) + "=" + std::to_string(cell.count());
    return text;
  };
  CHECK(counts(kMinute) == "21: 30=4");
  CHECK(counts(2 * kMinute) == "22: 30=4");
  CHECK(counts(10 * kMinute) == "10: 10=2 30=4");
  CHECK(counts(30 * kMinute) == "30: 0=2 30=4");
  CHECK(counts(60 * kMinute) == "0: 0=7");
}
