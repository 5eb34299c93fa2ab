#include "metrics/recent_records.h"

#include <doctest/doctest.h>

#include <deque>
#include <random>

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kStart = 1'700'000'000 * kSecond;  // on a step's border

uint64_t count(const RecentRecords& records, Micros now) {
  RecentRecordsTotal total;
  records.merge_into(total, now);
  return total.records;
}

}  // namespace

TEST_CASE("records count at once and leave after 56 to 60 s") {
  for (Micros offset = 0; offset < 8 * kSecond; offset += kSecond / 2) {
    RecentRecords records;
    const Micros at = kStart + offset;
    records.add(at, 7);
    CHECK(count(records, at) == 7);
    CHECK(count(records, at + 55 * kSecond) == 7);
    CHECK(count(records, at + 60 * kSecond) == 0);
    CHECK(count(records, at + 6000 * kSecond) == 0);
  }
}

TEST_CASE("the ring is what a list of all records would say") {
  std::mt19937 random(7);
  RecentRecords records;
  std::deque<std::pair<int64_t, uint64_t>> all;  // step, records
  Micros now = kStart;
  int64_t newest = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += random() % (i % 100 == 0 ? 90 * kSecond : kSecond / 2);
    const Micros at = now - random() % (10 * kSecond);  // threads are late a little
    const uint64_t n = random() % 5;
    records.add(at, n);
    newest = std::max(newest, Window::number_of(at));
    all.emplace_back(Window::number_of(at), n);
    uint64_t expected = 0;
    for (const auto& [step, many] : all)
      if (step > std::max(newest, Window::number_of(now)) - Window::kSteps) expected += many;
    REQUIRE(count(records, now) == expected);
    while (all.size() > 2000) all.pop_front();
  }
}

TEST_CASE("a clock that was set back begins anew") {
  RecentRecords records;
  records.add(kStart, 5);
  records.add(kStart - 100 * kSecond, 1);  // late: not within the window
  CHECK(count(records, kStart) == 5);
  records.add(kStart - 3600 * kSecond, 2);
  CHECK(count(records, kStart - 3600 * kSecond) == 2);
}

TEST_CASE("a rate is that of the time that is known, of one step at least") {
  RecentRecords one, other;
  one.add(kStart, 100);
  RecentRecordsTotal total;
  CHECK(total.per_second(kStart) == 0);
  one.merge_into(total, kStart);
  CHECK(total.per_second(kStart) == 25);
  CHECK(total.per_second(kStart + 20 * kSecond) == 5);
  other.add(kStart + 10 * kSecond, 20);
  other.merge_into(total, kStart + 20 * kSecond);
  CHECK(total.per_second(kStart + 20 * kSecond) == 6);  // since the first of the two
  CHECK(total.per_second(kStart + 58 * kSecond) == doctest::Approx(120.0 / 58));
}
