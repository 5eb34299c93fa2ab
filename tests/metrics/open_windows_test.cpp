#include "metrics/rollup/open_windows.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "tests/metrics/exact_values.h"

using namespace tailrace;

namespace {

constexpr SeriesId series_status_2xx = series_status_1xx + 1;
constexpr Micros kHour = 60 * kMinute;
constexpr Micros kNow = 1'795'000'000'000'000 / kHour * kHour + 17 * kMinute + 3'000'000;

/// The span that a line of that age is counted in; none: it is late.
WindowSpan span_at(OpenWindows& windows, Micros time, Micros arrival = kNow) {
  OpenWindow* const window = windows.at(time, arrival);
  if (!window) return {};
  window->count(series_status_2xx, {time, {1}});
  WindowSpan found;
  windows.for_each([&](const WindowSpan& span, const OpenWindow& open) {
    if (&open == window) found = span;
  });
  return found;
}

}  // namespace

TEST_CASE("windows: a line's age says how long its window is") {
  OpenWindows windows;
  const Micros minute = kNow / kMinute * kMinute;
  CHECK(span_at(windows, kNow) == WindowSpan{minute, kMinute});
  CHECK(span_at(windows, kNow - 1'000'000) == WindowSpan{minute, kMinute});
  CHECK(span_at(windows, minute - 1) == WindowSpan{minute - kMinute, kMinute});
  CHECK(span_at(windows, kNow + 59'000'000) == WindowSpan{minute + kMinute, kMinute});
  CHECK(span_at(windows, kNow - 2 * kHour) == WindowSpan{minute - 2 * kHour, kMinute});
  // Ten minutes grow old as one: until then each of their minutes is kept.
  const Micros tens = window_of(kNow - 2 * kHour - kMinute, 10 * kMinute).begin;
  CHECK(span_at(windows, tens) == WindowSpan{tens, kMinute});
  CHECK(span_at(windows, tens - 1) == WindowSpan{tens - 10 * kMinute, 10 * kMinute});
  CHECK(span_at(windows, tens - 10 * kMinute) == WindowSpan{tens - 10 * kMinute, 10 * kMinute});
  CHECK(span_at(windows, tens) == WindowSpan{tens, kMinute});
  CHECK(span_at(windows, kNow - 72 * kHour) == window_of(kNow - 72 * kHour, 10 * kMinute));
  CHECK(span_at(windows, kNow - 73 * kHour) == window_of(kNow - 73 * kHour, kHour));
  CHECK(span_at(windows, kNow - 7 * 24 * kHour) == window_of(kNow - 7 * 24 * kHour, kHour));
  CHECK(windows.late() == 0);
  CHECK(windows.ahead() == 0);
  CHECK(span_at(windows, kNow - 7 * 24 * kHour - 2 * kHour) == WindowSpan{});
  CHECK(span_at(windows, -1) == WindowSpan{});
  CHECK(windows.late() == 2);
}

TEST_CASE("windows: a line from the future is dated to its arrival and counted") {
  OpenWindows windows;
  Micros time = kNow + 60'000'000;
  REQUIRE(windows.at(time, kNow));
  CHECK(time == kNow + 60'000'000);  // just not too far
  for (const Micros ahead : {Micros{60'000'001}, 24 * kHour, Micros{1} << 60}) {
    time = kNow + ahead;
    OpenWindow* const window = windows.at(time, kNow);
    CHECK(time == kNow);
    Micros now = kNow;
    CHECK(window == windows.at(now, kNow));
  }
  CHECK(windows.ahead() == 3);
  // Also where the window of that time is the last one that was asked for.
  time = kNow + 50'000'000;
  REQUIRE(windows.at(time, kNow));
  time = kNow + 50'000'000;
  REQUIRE(windows.at(time, kNow - 20'000'000));
  CHECK(time == kNow - 20'000'000);
  CHECK(windows.ahead() == 4);
}

TEST_CASE("windows: what is taken is what was counted, once") {
  std::mt19937_64 random(1);
  OpenWindows windows;
  std::map<std::pair<WindowSpan, SeriesId>, ExactValues> exact, taken_before;
  std::map<std::pair<WindowSpan, SeriesId>, Cell> taken;
  Covered covered;
  uint64_t position = 1'000, late = 0;
  for (int take = 0; take < 20; ++take) {
    for (int line = 0; line < 2000; ++line, ++position) {
      Micros time =
          kNow - std::uniform_int_distribution<Micros>(0, random() % 8 ? kMinute : 8 * 24 * kHour)(random);
      OpenWindow* const window = windows.at(time, kNow);
      windows.cover({position}, {position + 1});
      if (!window) continue;
      Micros length = kMinute;
      if (time < window_of(kNow - 2 * kHour - kMinute, 10 * kMinute).begin) length = 10 * kMinute;
      if (time < window_of(kNow - 72 * kHour - 10 * kMinute, kHour).begin) length = kHour;
      const WindowSpan span = window_of(time, length);
      const Stamp at{time, {position}};
      const auto value = static_cast<double>(random() % 1000) / 8;
      const std::pair<WindowSpan, SeriesId> places[] = {
          {span, static_cast<SeriesId>(random() % series_status_none)},
          {span, first_own_series + static_cast<SeriesId>(random() % 300)}};
      for (const auto& place : places) {
        window->add(place.second, value, at);
        exact[place].add(value, at);
      }
      const std::pair<WindowSpan, SeriesId> counters[] = {
          {span, series_status_none + static_cast<SeriesId>(random() % 6)},
          {span, series_error + static_cast<SeriesId>(random() % 300)},
          {span, first_own_series + 1000 + static_cast<SeriesId>(random() % 3)}};
      for (const auto& place : counters) {
        window->count(place.second, at);
        exact[place].add(1, at);
      }
    }
    REQUIRE_FALSE(windows.empty());
    const OpenWindows::Taken part = windows.take();
    CHECK(windows.empty());
    CHECK(std::ranges::is_sorted(part.windows, {}, [](const auto& w) { return w.first; }));
    for (const auto& [span, window] : part.windows)
      window.for_each([&](SeriesId series, const Cell& cell) { taken[{span, series}].merge(cell); });
    covered.merge(part.covered);
    late += part.late;
  }
  CHECK(late == windows.late());
  CHECK(late > 100);
  REQUIRE(covered.ranges().size() == 1);
  CHECK(covered.ranges()[0] == Covered::Range{{1'000}, {position}});
  REQUIRE(taken.size() == exact.size());
  for (const auto& [place, cell] : taken) check_same(cell, exact[place]);
}

TEST_CASE("windows: a quiet channel's are small, and there are never more than are kept") {
  OpenWindows windows;
  Micros time = kNow;
  OpenWindow* const window = windows.at(time, kNow);
  for (SeriesId series = 0; series < series_status_none; ++series) window->add(series, 0.25, {time, {1}});
  window->count(series_status_2xx, {time, {1}});
  CHECK(window->memory() < 1024);

  size_t most = 0;
  for (Micros age = 0; age < 9 * 24 * kHour; age += kMinute / 2) {
    time = kNow - age;
    (void)windows.at(time, kNow);
  }
  windows.for_each([&](const WindowSpan&, const OpenWindow&) { ++most; });
  CHECK(most <= 122 + 434 + 170);
  CHECK(most >= 120 + 420 + 96);
}

TEST_CASE("windows: short of room, old lines count in hours, then in none, and new ones ever; it is told") {
  OpenRoom room(2'000'000);
  const Micros minute = window_of(kNow, kMinute).begin;
  uint64_t values = 0, kept = 0, hours = 0;
  {
    OpenWindows one(&room), other(&room);
    // A thousand series a minute, back in time: 100 minutes would be 20 MB.
    for (OpenWindows* windows : {&one, &other})
      for (Micros age = 2; age < 102; ++age)
        for (SeriesId series = 0; series < 1000; ++series) {
          Micros time = minute - age * kMinute;
          OpenWindow* const window = windows->at(time, kNow);
          ++values;
          if (!window) continue;
          ++kept;
          hours += windows->current().length == kHour;
          window->add(first_own_series + series, 1.5, {time, {1}});
        }
    CHECK(room.dropped() == values - kept);
    CHECK(kept < values);
    CHECK(hours > 0);
    CHECK(room.crowded());
    CHECK(room.used() < room.limit());
    CHECK(one.late() == 0);
    Micros time = kNow;
    CHECK(one.at(time, kNow));
    time = minute - 1;
    REQUIRE(one.at(time, kNow));
    CHECK(one.current() == WindowSpan{minute - kMinute, kMinute});

    const OpenWindows::Taken taken = one.take();
    CHECK(taken.whole_from[0] > minute - 101 * kMinute);
    CHECK(taken.whole_from[0] <= minute - kMinute);
    CHECK(taken.whole_from[2] > minute - 2 * kHour);
    CHECK(one.take().whole_from == WholeFrom());
    CHECK(room.used() > 0);
  }
  CHECK(room.used() == 0);
  OpenWindows fresh(&room);
  Micros time = minute - 50 * kMinute;
  REQUIRE(fresh.at(time, kNow));
  CHECK(fresh.current().length == kMinute);
}

TEST_CASE("windows: threads that append in turn are taken before anything is taken for counted") {
  OpenRoom room(2'000'000);
  OpenWindows one(&room), two(&room);
  const auto append = [](OpenWindows& windows, uint64_t batch) {
    windows.cover({batch * 5}, {batch * 5 + 5});
  };
  uint64_t batch = 0;
  for (; !room.crowded(); ++batch) append(batch % 2 ? one : two, batch);
  CHECK(batch > 2 * Covered::kMostRanges);
  for (; batch < 10'000; ++batch) append(batch % 2 ? one : two, batch);
  append(two, batch + 1);  // one's batch before it is not counted yet
  const OpenWindows::Taken first = one.take();
  CHECK_FALSE(first.covered.holds({0}));
  Covered all = first.covered;
  all.merge(two.take().covered);
  REQUIRE(all.ranges().size() == 2);
  CHECK(all.ranges()[0] == Covered::Range{{0}, {batch * 5}});
}
