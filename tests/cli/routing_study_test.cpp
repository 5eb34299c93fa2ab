#include "cli/routing_study.h"

#include <doctest/doctest.h>

#include <cmath>

#include "cli/routing_study_report.h"

using namespace tailrace;

namespace {

RoutingStudyOptions short_study() {
  RoutingStudyOptions options;
  options.dynos = 5, options.rate = 50, options.slow_ms = 1000, options.slow_share = 0.005;
  options.duration = 200'000'000, options.routers = {1, 5};
  return options;
}

// Lines tell whole milliseconds, and a sketch is within 0.78 %.
bool near(double tailrace, double exact) {
  return std::abs(tailrace - exact) <= 0.01 * exact + 0.0011;
}

}  // namespace

TEST_CASE("Tailrace's percentiles are the exact ones") {
  for (const bool slow : {true, false}) {
    const auto runs = routing_study(short_study(), slow);
    REQUIRE(runs.size() == 3);
    CHECK(runs[2].routers == 0);
    for (const RoutingStudyRun& run : runs) {
      CAPTURE(run.routers);
      CHECK(run.requests > 9000);
      for (const auto& [told, real] :
           {std::pair(run.took, run.really_took), {run.app_wait, run.really_waited}}) {
        CHECK(near(told.mean, real.mean));
        CHECK(near(told.p50, real.p50));
        CHECK(near(told.p95, real.p95));
        CHECK(near(told.p99, real.p99));
        CHECK(near(told.max, real.max));
      }
    }
  }
}

TEST_CASE("the more routers, the longer the wait, and the router's own figure hides it") {
  const auto runs = routing_study(short_study(), true);
  CHECK(runs[0].really_waited.mean * 2 < runs[1].really_waited.mean);
  CHECK(runs[1].really_waited.mean < runs[2].really_waited.mean);
  for (size_t i = 1; i < runs.size(); ++i) CHECK(runs[i].told_wait.mean * 5 < runs[i].really_waited.mean);
  for (const RoutingStudyRun& run : runs) {
    CHECK(run.queueing.dynos == 5);
    // Little: what is at a dyno is being served or waits there, which is all that does not wait in a router.
    const double waits = run.queueing.rate * (run.really_waited.mean - run.told_wait.mean) / 5;
    CHECK(run.queueing.saturation == doctest::Approx(run.busy + waits).epsilon(0.02));
  }
}

TEST_CASE("the same figures and bytes again") {
  RoutingStudyRuns a, b;
  for (RoutingStudyRuns* runs : {&a, &b}) {
    runs->options = short_study();
    runs->slow = routing_study(runs->options, true);
    runs->even = routing_study(runs->options, false);
  }
  CHECK(routing_study_tables(a) == routing_study_tables(b));
  CHECK(routing_study_plot(a) == routing_study_plot(b));
  CHECK(routing_study_tables(a).find("| 5 routers | ") != std::string::npos);
  CHECK(routing_study_tables(a).find("one in 200 takes 1,000 ms") != std::string::npos);
}

TEST_CASE("tables go between a page's marks") {
  const std::string page = "text\n<!-- tables -->\nold\n<!-- end of tables -->\nmore\n";
  CHECK(with_tables(page, "new\n") == "text\n<!-- tables -->\nnew\n<!-- end of tables -->\nmore\n");
  CHECK(with_tables(*with_tables(page, "new\n"), "old\n") == page);
  CHECK_FALSE(with_tables("text\n", "new\n"));
  CHECK_FALSE(with_tables("<!-- tables -->\n", "new\n"));
}
