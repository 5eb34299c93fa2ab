#include "cli/metrics_text.h"

#include <doctest/doctest.h>

#include <cmath>

#include "metrics/exposition.h"

using namespace tailrace;

namespace {

struct Seen {
  std::string name, labels;
  double value;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> read(std::string_view text) {
  std::vector<Seen> all;
  for_each_sample(text, [&](const MetricSample& sample) {
    Seen seen{std::string(sample.name), "", sample.value};
    for (const auto& [name, value] : sample.labels) seen.labels += std::string(name) + "=" + value + ";";
    all.push_back(std::move(seen));
  });
  return all;
}

}  // namespace

TEST_CASE("what the router writes is read back, in both of its formats") {
  for (const auto format : {ExpositionFormat::prometheus_text, ExpositionFormat::openmetrics}) {
    std::string text;
    ExpositionWriter out(format, [&](std::string_view part) { text += part; });
    out.family("tailrace_channel_records_total", FamilyType::counter, "Records.");
    out.sample({{"channel", "7"}}, uint64_t{12});
    out.family("tailrace_count_total", FamilyType::counter, "Pairs.");
    out.sample({{"name", "a\"b\\c\nd}"}, {"unit", ""}}, 0.5);
    out.family("process_threads", FamilyType::gauge, "Threads.");
    out.sample({}, uint64_t{3});
    out.finish();
    CHECK(read(text) == std::vector<Seen>{{"tailrace_channel_records_total", "channel=7;", 12},
                                          {"tailrace_count_total", "name=a\"b\\c\nd};unit=;", 0.5},
                                          {"process_threads", "", 3}});
  }
}

TEST_CASE("numbers that are none, times and exemplars") {
  const auto all =
      read("a NaN\nb{x=\"1\"} +Inf 1700000000\nc_bucket{le=\"1\"} 4 # {request_id=\"r\"} 0.5 17\n");
  REQUIRE(all.size() == 3);
  CHECK(std::isnan(all[0].value));
  CHECK(std::isinf(all[1].value));
  CHECK(all[2] == Seen{"c_bucket", "le=1;", 4});
}

TEST_CASE("lines that are no sample are passed over, and the next is read") {
  for (const char* bad : {"", " ", "x", "x ", "x y", "x{", "x{a", "x{a=", "x{a=b} 1", "x{a=\"b} 1",
                          "x{a=\"b\\", "{} 1", "x{a=\"b\"}1", "x 1y", "# HELP x 1"}) {
    CAPTURE(bad);
    CHECK(read(std::string(bad) + "\ngood 1\n") == std::vector<Seen>{{"good", "", 1}});
  }
  std::string many = "x{";
  for (int i = 0; i < 100; ++i) many += "a=\"b\",";
  CHECK(read(many + "} 1\n").empty());
}
