#include "web/trouble_since.h"

#include <doctest/doctest.h>

#include "base/time_text.h"

using namespace tailrace;

namespace {

const Micros kNow = *parse_rfc3339("2026-11-21T12:00:30Z");  // within a minute

/// What a store says of the last minutes.
struct Minutes {
  /// So many requests in the minute that many before the running one, of so many seconds; the last of them
  /// fail.
  Minutes& add(int ago, uint64_t requests, double seconds, uint64_t failed = 0, Micros length = kMinute) {
    SeriesCells& cells = answer.windows[window_of(kNow - ago * kMinute, length)];
    for (uint64_t i = 0; i < requests; ++i) {
      const Stamp at{kNow - ago * kMinute, Position{i}};
      cells[fixed_series_name(series_service)].add(seconds, at);
      const bool fails = i >= requests - failed;
      cells[fixed_series_name(series_status_1xx + (fails ? 4 : 1))].add_lines(1, at);
    }
    return *this;
  }
  Minutes& add_without_status(int ago, uint64_t requests) {
    answer.windows[window_of(kNow - ago * kMinute, kMinute)][fixed_series_name(series_status_none)].add_lines(
        requests, {kNow, Position{1}});
    return *this;
  }
  /// `11:58`, or `-`.
  static std::string text(std::optional<Micros> since) {
    return since ? rfc3339_json(*since).substr(11, 5) : "-";
  }
  std::string slow() const { return text(slow_since(answer, kNow)); }
  std::string errors() const { return text(errors_since(answer, kNow)); }

  RollupStore::Answer answer;
};

}  // namespace

TEST_CASE("slow since the first of the unbroken minutes") {
  CHECK(Minutes().slow() == "-");
  CHECK(Minutes().add(0, 20, 1).slow() == "12:00");
  CHECK(Minutes().add(0, 20, 2).add(1, 20, 2).add(2, 20, 2).slow() == "11:58");
  CHECK(Minutes().add(0, 20, 2).add(1, 20, 2).add(2, 20, 0.9).add(3, 20, 2).slow() == "11:59");
  CHECK(Minutes().add(2, 20, 0.5).slow() == "-");
}

TEST_CASE("minutes without requests, or with too few, break nothing, nor does the one that is running") {
  CHECK(Minutes().add(1, 20, 2).add(9, 20, 2).slow() == "11:51");
  CHECK(Minutes().add(1, 20, 2).add(5, 19, 0.1).add(9, 20, 2).slow() == "11:51");
  CHECK(Minutes().add(1, 20, 2).add(5, 19, 3).slow() == "11:59");  // nor do they begin it
  CHECK(Minutes().add(0, 500, 0.1).add(1, 20, 2).add(2, 20, 2).slow() == "11:58");
  CHECK(Minutes().add(1, 500, 0.1).add(2, 20, 2).slow() == "-");
}

TEST_CASE("errors since: 5xx and no status, 1 % and at least 5") {
  CHECK(Minutes().add(1, 500, 0.1, 5).errors() == "11:59");
  CHECK(Minutes().add(1, 501, 0.1, 5).errors() == "-");
  CHECK(Minutes().add(1, 20, 0.1, 20).add(2, 20, 0.1, 4).add(3, 20, 0.1, 5).errors() == "11:57");
  CHECK(Minutes().add(1, 20, 0.1, 20).add(2, 20, 0.1, 0).add(3, 20, 0.1, 5).errors() == "11:59");
  CHECK(Minutes().add_without_status(1, 5).add_without_status(2, 5).errors() == "11:58");
  CHECK(Minutes().add(1, 20, 2).errors() == "-");
}

TEST_CASE("coarser windows tell as well, and what is asked for is what is needed") {
  CHECK(Minutes().add(1, 30, 2).add(60, 30, 2, 0, 10 * kMinute).slow() == "11:00");
  const SeriesFilter filter = trouble_series();
  for (const SeriesId series : {series_service, series_status_none})
    CHECK(filter.wants(fixed_series_name(series)));
  CHECK(filter.wants(fixed_series_name(series_status_1xx + 4)));
  CHECK_FALSE(filter.wants(fixed_series_name(series_connect)));
  CHECK_FALSE(filter.wants(SeriesName({SeriesKind::router_dyno, "router.service", "web.1", "seconds"})));
}
