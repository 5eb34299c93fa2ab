#include "web/series_routes.h"

#include <doctest/doctest.h>

#include <string>

#include "web/json_body.h"

using namespace tailrace;
using nlohmann::json;

namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

json answer(const SeriesTables& tables, uint32_t channel, std::string_view after = {}) {
  const HttpResponse response = series_answer(tables, channel, {.after = std::string(after)});
  REQUIRE(response.status == 200);
  return json::parse(response.body);
}

}  // namespace

TEST_CASE("a channel's series, and what uses up its budget") {
  SeriesTables tables(3, 100);
  const auto table = tables.open(4);
  for (int i = 0; i < 9; ++i)
    table->find_or_admit(
        {SeriesKind::measure, "api.users." + std::to_string(i) + ".time", "web.1", "seconds"}, kNow);
  tables.open(5)->find_or_admit({SeriesKind::count, "jobs", {}, {}}, kNow);
  const json body = answer(tables, 4);
  CHECK(body["series"] == 3);
  CHECK(body["limit"] == 3);
  CHECK(body["rejected"] == 6);
  CHECK(body["process"] == json{{"series", 4}, {"limit", 100}});
  CHECK(body["top"] == json::array({{{"template", "api.users.*.time"},
                                     {"source", "web.*"},
                                     {"series", 9},
                                     {"example", "api.users.0.time"},
                                     {"example_source", "web.1"},
                                     {"kind", "measure"}}}));
  REQUIRE(body["list"].size() == 4);
  CHECK(body["list"][0] == json{{"kind", "measure"},
                                {"name", "api.users.0.time"},
                                {"source", "web.1"},
                                {"unit", "seconds"},
                                {"last_seen", "2023-11-14T22:13:20.000Z"}});
  CHECK(body["list"][3]["name"] == "_overflow");
  CHECK(body["next"] == nullptr);
}

TEST_CASE("a channel without series has its limit") {
  SeriesTables tables(3, 100);
  CHECK(answer(tables, 9) == json{{"series", 0},
                                  {"limit", 3},
                                  {"rejected", 0},
                                  {"process", {{"series", 0}, {"limit", 100}}},
                                  {"top", json::array()},
                                  {"list", json::array()},
                                  {"next", nullptr}});
}

TEST_CASE("the list of series comes in pages") {
  SeriesTables tables(5000, 5000);
  const auto table = tables.open(0);
  for (int i = 0; i < 2500; ++i)
    table->find_or_admit({SeriesKind::sample, "s" + std::to_string(i), {}, {}}, kNow);
  int seen = 0, pages = 0;
  for (std::string after;;) {
    const json body = answer(tables, 0, after);
    for (const json& series : body["list"]) {
      const std::string expected = "s" + std::to_string(seen++);
      REQUIRE(series["name"] == expected);
    }
    ++pages;
    if (body["next"].is_null()) break;
    after = body["next"];
  }
  CHECK(seen == 2500);
  CHECK(pages == 3);
  for (const char* wrong : {"x", "-1", "99999999999", "1 "})
    CHECK(series_answer(tables, 0, {.after = std::string(wrong)}).status == 422);
}
