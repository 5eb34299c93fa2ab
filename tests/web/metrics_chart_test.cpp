// Metrics over time as a picture: what is drawn where, and that whoever names a series writes no markup.

#include "web/metrics_chart.h"

#include <doctest/doctest.h>

#include <regex>

using namespace tailrace;

namespace {

constexpr Micros kStep = 60'000'000, kBegin = 1'790'000'040'000'000 / kStep * kStep;

struct Asked {
  RollupQuery query{kBegin, kBegin + 60 * kStep, kStep, {}};
  RollupSteps steps;
  ChartWish wish{"shop", {}, kBegin + 60 * kStep};
  std::string error;

  Asked() { steps.whole_from = kBegin; }
  SeriesName name(SeriesKind kind, std::string its_name, std::string source = "", std::string unit = "") {
    SeriesName series;
    series.kind = kind;
    series.name = std::move(its_name);
    series.source = std::move(source);
    series.unit = std::move(unit);
    return series;
  }
  void add(const SeriesName& series, int step, double value) {
    steps.series[series][kBegin + step * kStep].add(value, Stamp{kBegin + step * kStep, {}});
    ++steps.points;
  }
  std::string draw() {
    const auto svg = metrics_chart(query, steps, wish, error);
    REQUIRE(svg.has_value());
    return *svg;
  }
};

/// The `d` of each line of the data, in order.
std::vector<std::string> paths(const std::string& svg) {
  std::vector<std::string> all;
  const std::regex line(R"re(<path class="line [^"]*" d="([^"]*)"><title>)re");
  for (std::sregex_iterator i(svg.begin(), svg.end(), line), end; i != end; ++i) all.push_back((*i)[1]);
  return all;
}

size_t count(const std::string& text, std::string_view what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("steps in a row are one line, a gap is a gap, and one alone is a dot") {
  Asked a;
  const SeriesName service = a.name(SeriesKind::router, "router.service", "", "seconds");
  for (const int step : {0, 1, 2, 10, 20, 21}) a.add(service, step, 1.5);
  a.wish.show = {Figure::p95};
  const auto lines = paths(a.draw());
  REQUIRE(lines.size() == 1);
  CHECK(count(lines[0], "M") == 3);
  CHECK(count(lines[0], "L") == 3);
  CHECK(count(lines[0], "h0") == 1);
  CHECK(lines[0].find("h0M") != std::string::npos);
}

TEST_CASE("a value stands where its axis says") {
  Asked a;
  const SeriesName depth = a.name(SeriesKind::sample, "depth");
  a.add(depth, 0, 0);
  a.add(depth, 59, 100);
  const std::string svg = a.draw();
  const auto lines = paths(svg);
  REQUIRE(lines.size() == 1);
  double x0, y0, x1, y1;
  REQUIRE(std::sscanf(lines[0].c_str(), "M%lf %lfh0M%lf %lfh0", &x0, &y0, &x1, &y1) == 4);
  CHECK(x0 == doctest::Approx(74 + 862 / 120.0).epsilon(0.01));
  CHECK(x1 == doctest::Approx(936 - 862 / 120.0).epsilon(0.01));
  CHECK(y0 - y1 == doctest::Approx(200));
  CHECK(svg.find(">100</text>") != std::string::npos);
}

TEST_CASE("each unit has a panel, and what is usual is shown") {
  Asked a;
  a.add(a.name(SeriesKind::router, "router.service", "", "seconds"), 3, 0.02);
  a.add(a.name(SeriesKind::router, "router.status.5xx"), 3, 1);
  a.add(a.name(SeriesKind::dyno_memory, "dyno.memory.total", "web.1", "bytes"), 3, 300.0 * (1 << 20));
  const std::string svg = a.draw();
  CHECK(paths(svg).size() == 5);
  for (const char* text :
       {">milliseconds</text>", ">per second</text>", ">MB</text>", ">300</text>", "router.service, median",
        "router.service, p99", "router.status.5xx, rate", "dyno.memory.total of web.1, last"})
    CHECK_MESSAGE(svg.find(text) != std::string::npos, text);
  CHECK(svg.find(" UTC, steps of 1m") != std::string::npos);
}

TEST_CASE("a rate is per second of what counts, and has none before its step is over") {
  Asked a;
  const SeriesName jobs = a.name(SeriesKind::count, "jobs");
  a.add(jobs, 0, 60'000);
  a.add(jobs, 59, 60'000);
  a.wish.now = kBegin + 60 * kStep - 1;
  const std::string svg = a.draw();
  const auto lines = paths(svg);
  REQUIRE(lines.size() == 1);
  CHECK(count(lines[0], "M") == 1);
  CHECK(svg.find(">1,000</text>") != std::string::npos);
  a.wish.show = {Figure::last};
  CHECK(count(paths(a.draw()).at(0), "M") == 2);
}

TEST_CASE("names are anybody's, and stay text") {
  Asked a;
  a.wish.title = "</text><script>alert(1)</script> & \x01 \xFF";
  a.add(a.name(SeriesKind::measure, "<img onerror=\"x\">]]>", "&lt;", "<b>"), 1, 2);
  a.add(a.name(SeriesKind::measure, std::string(255, '<'), "\xEF\xBF\xBF", "seconds"), 1, 2);
  const std::string svg = a.draw();
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find("<img") == std::string::npos);
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find("]]>") == std::string::npos);
  CHECK(svg.find('\x01') == std::string::npos);
  CHECK(svg.find('\xFF') == std::string::npos);
  CHECK(svg.find("\xEF\xBF\xBF") == std::string::npos);
  CHECK(svg.find("&amp;lt;") != std::string::npos);
}

TEST_CASE("nothing to draw is said") {
  Asked a;
  CHECK(a.draw().find("no values within this time") != std::string::npos);
}

TEST_CASE("what is not kept is shaded, and said") {
  Asked a;
  a.add(a.name(SeriesKind::sample, "x"), 59, 1);
  CHECK(a.draw().find("class=\"before\"") == std::string::npos);
  a.steps.whole_from = kBegin + 30 * kStep;
  const std::string svg = a.draw();
  CHECK(svg.find(R"(class="before" x="74" )") != std::string::npos);
  CHECK(svg.find(R"(width="431.0")") != std::string::npos);
  CHECK(svg.find("not all of it is kept") != std::string::npos);
}

TEST_CASE("a chart is bounded") {
  Asked a;
  for (size_t i = 0; i < kMostLines; ++i) a.add(a.name(SeriesKind::sample, "s" + std::to_string(i)), 1, 1);
  CHECK(paths(a.draw()).size() == kMostLines);
  a.add(a.name(SeriesKind::sample, "one more"), 1, 1);
  CHECK_FALSE(metrics_chart(a.query, a.steps, a.wish, a.error).has_value());
  CHECK(a.error.starts_with("name: "));
  Asked b;
  b.query.to = b.query.from + kMostChartSteps * kStep;
  b.draw();
  b.query.to += kStep;
  CHECK_FALSE(metrics_chart(b.query, b.steps, b.wish, b.error).has_value());
  CHECK(b.error.starts_with("step: "));
}

TEST_CASE("figures have names") {
  for (const char* name : {"median", "p95", "p99", "max", "mean", "min", "count", "rate", "sum", "last"}) {
    const auto figure = parse_figure(name);
    REQUIRE(figure.has_value());
    CHECK(to_string(*figure) == name);
  }
  CHECK_FALSE(parse_figure("p50").has_value());
}
