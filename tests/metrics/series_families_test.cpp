#include "metrics/series_families.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "metrics/lines/quantity.h"

using namespace tailrace;

namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

struct Fixture {
  void add(const SampleLine& line) { share.add(line, {kNow, {1}}, kNow, nullptr); }
  void runtime(std::string_view message, std::string_view dyno) {
    SampleLine line;
    scan_sample_line(message, line);
    share.add_runtime(line, dyno, {kNow, {1}}, kNow, nullptr);
  }
  std::string scrape(ExpositionFormat format = ExpositionFormat::prometheus_text) {
    SeriesMerge merge;
    merge.add(share, kNow);
    const SeriesSnapshot snapshot = merge.finish(*table, kNow);
    const ChannelSeries channel{"7", &snapshot};
    std::string text;
    ExpositionWriter out(format, [&](std::string_view part) { text += part; });
    write_series_families(out, {&channel, 1});
    out.finish();
    return text;
  }

  SeriesLimits limits{20, 100};
  std::shared_ptr<SeriesTable> table = std::make_shared<SeriesTable>(limits);
  SeriesCounts share{table};
};

bool has(const std::string& text, std::string_view line) {
  return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every family of series, as it is scraped") {
  Fixture f;
  f.add({"web.1", {{SeriesKind::measure, "db.latency", 0.004, "seconds"}}, 1, 2, 3});
  f.add({"", {{SeriesKind::count, "jobs", 2.5, ""}, {SeriesKind::sample, "queue", -7, "%"}}});
  f.runtime("sample#memory_rss=1MB sample#memory_quota=512MB sample#load_avg_15m=0.5", "web.1");
  f.share.add_request(SeriesKind::router_dyno, "web.2", 0.25, 200, {kNow, {1}}, kNow, nullptr);
  f.share.add_request(SeriesKind::router_host, "a.example", kAbsent, 503, {kNow, {1}}, kNow, nullptr);
  const std::string text = f.scrape();
  for (
      const char* line :
      {"# TYPE tailrace_measure summary",
       R"(tailrace_measure{channel="7",name="db.latency",source="web.1",unit="seconds",quantile="0.5"} 0.004)",
       R"(tailrace_measure{channel="7",name="db.latency",source="web.1",unit="seconds",quantile="1"} 0.004)",
       R"(tailrace_measure_sum{channel="7",name="db.latency",source="web.1",unit="seconds"} 0.004)",
       R"(tailrace_measure_count{channel="7",name="db.latency",source="web.1",unit="seconds"} 1)",
       "# TYPE tailrace_count_total counter",
       R"(tailrace_count_total{channel="7",name="jobs",source="",unit=""} 2.5)",
       "# TYPE tailrace_sample gauge",
       R"(tailrace_sample{channel="7",name="queue",source="",unit="%"} -7)",
       R"(tailrace_dyno_memory_bytes{channel="7",dyno="web.1",kind="rss"} 1048576)",
       R"(tailrace_dyno_memory_bytes{channel="7",dyno="web.1",kind="quota"} 536870912)",
       R"(tailrace_dyno_load{channel="7",dyno="web.1",window="15m"} 0.5)",
       R"(tailrace_router_dyno_service_quantile_seconds{channel="7",dyno="web.2",quantile="0.95"} 0.25)",
       R"(tailrace_router_dyno_service_quantile_seconds_count{channel="7",dyno="web.2"} 1)",
       R"(tailrace_router_dyno_requests_total{channel="7",dyno="web.2",class="2xx"} 1)",
       R"(tailrace_router_host_requests_total{channel="7",host="a.example",class="5xx"} 1)",
       R"(tailrace_series{channel="7"} 9)",
       R"(tailrace_series_rejected_total{channel="7"} 0)",
       R"(tailrace_pairs_rejected_total{channel="7",reason="empty"} 1)",
       R"(tailrace_pairs_rejected_total{channel="7",reason="not_a_number"} 2)",
       R"(tailrace_pairs_rejected_total{channel="7",reason="negative"} 3)"}) {
    CAPTURE(line);
    CHECK(has(text, line));
  }
  CHECK(text.find("tailrace_router_host_service") == std::string::npos);
  CHECK(has(f.scrape(ExpositionFormat::openmetrics), "# TYPE tailrace_count counter"));
}

TEST_CASE("hostile labels stay within their line") {
  Fixture f;
  f.add({"back\\slash", {{SeriesKind::count, "a\"} 1\nevil 2", 1, "\n"}}});
  const std::string text = f.scrape();
  CHECK(has(text,
            R"(tailrace_count_total{channel="7",name="a\"} 1\nevil 2",source="back\\slash",unit="\n"} 1)"));
  CHECK(text.find("\nevil") == std::string::npos);
}

TEST_CASE("series past the bound are one series, and dynos past it have no gauge") {
  Fixture f;
  f.limits.set(1, 1);
  f.add({"", {{SeriesKind::count, "a", 1, ""}, {SeriesKind::count, "b", 2, ""}}});
  f.add({"x", {{SeriesKind::count, "c", 4, "bytes"}}});
  f.runtime("sample#memory_rss=1MB", "web.1");
  f.share.add_request(SeriesKind::router_dyno, "web.2", 0.25, 200, {kNow, {1}}, kNow, nullptr);
  const std::string text = f.scrape();
  CHECK(has(text, R"(tailrace_count_total{channel="7",name="_overflow",source="",unit=""} 6)"));
  CHECK(has(text, R"(tailrace_router_dyno_requests_total{channel="7",dyno="_overflow",class="2xx"} 1)"));
  CHECK(has(text, R"(tailrace_series_rejected_total{channel="7"} 5)"));
  CHECK(text.find("tailrace_dyno_memory_bytes") == std::string::npos);
}
