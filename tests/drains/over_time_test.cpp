// What a drain did over time: in which minute what counts, how it ages, and that nothing gets lost.

#include "drains/over_time.h"

#include <doctest/doctest.h>

#include <random>

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000, kMinute = DrainPast::kMinute, kTen = DrainPast::kTen,
                 kHour = 60 * kMinute;
constexpr Micros kBegin = 1'790'000'400'000'000 / kTen * kTen;  // some time, on the border of ten minutes

/// An account that a test moves on.
struct Account {
  Ledger ledger;
  Micros oldest = 0;
  DrainState state = DrainState::ok;

  void look(DrainOverTime& at, Micros now) const { at.look(ledger, oldest, state, now); }
  DrainPast past(DrainOverTime& at, Micros now) const { return at.past(ledger, oldest, state, now); }
};

DrainPoint total(const DrainPast& past) {
  DrainPoint sum;
  for (const DrainPoint& point : past.tens) sum.merge(point);
  for (const DrainPoint& point : past.minutes) sum.merge(point);
  return sum;
}

void check_account(const DrainPast& past, const Ledger& ledger) {
  const DrainPoint sum = total(past);
  CHECK(sum.delivered == ledger.delivered);
  CHECK(sum.filtered == ledger.filtered);
  CHECK(sum.dropped == ledger.dropped);
}

std::vector<Micros> times(const std::vector<DrainPoint>& points) {
  std::vector<Micros> all;
  for (const DrainPoint& point : points) all.push_back((point.time - kBegin) / kMinute);
  return all;
}

}  // namespace

TEST_CASE("what comes to its end between two looks belongs to the minute in the middle") {
  Account a;
  DrainOverTime at({}, kBegin);
  a.ledger.delivered = 5;
  a.look(at, kBegin + 50 * kSecond);
  a.ledger.delivered = 12;  // between 50 s and 60.4 s
  a.look(at, kBegin + 60 * kSecond + 400'000);
  a.ledger.filtered = 3;
  a.ledger.dropped[size_t(DropReason::overflow)] = 2;
  a.look(at, kBegin + 70 * kSecond);
  const DrainPast past = a.past(at, kBegin + 200 * kSecond);
  REQUIRE(times(past.minutes) == std::vector<Micros>{0, 1});
  CHECK(past.minutes[0].delivered == 12);
  CHECK(past.minutes[1].filtered == 3);
  CHECK(past.minutes[1].dropped[size_t(DropReason::overflow)] == 2);
  CHECK(past.whole_from_minutes == kBegin);
  CHECK(past.whole_from_tens == kBegin);
  check_account(past, a.ledger);
}

TEST_CASE("what a drain had done before is no part of it") {
  Account a;
  a.ledger.delivered = 100;
  DrainOverTime at(a.ledger, kBegin);
  a.ledger.delivered = 101;
  CHECK(total(a.past(at, kBegin + kSecond)).delivered == 1);
}

TEST_CASE("the worst state, the most that waited and the longest lag of a minute stand") {
  Account a;
  DrainOverTime at({}, kBegin);
  a.look(at, kBegin + kSecond);
  a.state = DrainState::failing;
  a.ledger.buffered = 40;
  a.oldest = kBegin + 2 * kSecond;
  a.look(at, kBegin + 10 * kSecond);
  a.state = DrainState::paused;
  a.ledger.buffered = 30;
  a.look(at, kBegin + 20 * kSecond);
  a.state = DrainState::ok;
  a.ledger.buffered = 0;
  a.oldest = 0;
  a.look(at, kBegin + 30 * kSecond);
  const DrainPast past = a.past(at, kBegin + 10 * kMinute);
  REQUIRE(times(past.minutes) == std::vector<Micros>{0});
  CHECK(past.minutes[0].state == DrainState::failing);
  CHECK(past.minutes[0].buffered == 40);
  CHECK(past.minutes[0].lag == 18 * kSecond);
}

TEST_CASE("a change of state is something that happened") {
  Account a;
  a.state = DrainState::pending;
  DrainOverTime at({}, kBegin);
  a.look(at, kBegin + kSecond);
  CHECK(a.past(at, kBegin + 3 * kMinute).minutes.empty());
  a.state = DrainState::paused;
  a.look(at, kBegin + 4 * kMinute);
  const DrainPast past = a.past(at, kBegin + 20 * kMinute);
  REQUIRE(times(past.minutes) == std::vector<Micros>{4});
  CHECK(past.minutes[0].state == DrainState::paused);
}

TEST_CASE("an answer's time counts in its minute, within 3.2 %") {
  Account a;
  DrainOverTime at({}, kBegin);
  for (int i = 1; i <= 100; ++i) at.answered(std::chrono::milliseconds(10 * i));
  CHECK_FALSE(at.turned(kBegin + 59 * kSecond));
  CHECK(at.turned(kBegin + 60 * kSecond));
  a.look(at, kBegin + 60 * kSecond);
  at.answered(std::chrono::microseconds(0));
  for (const Micros later : {61 * kSecond, 5 * kHour}) {
    const DrainPast past = a.past(at, kBegin + later);
    const auto& points = past.minutes.empty() ? past.tens : past.minutes;
    DrainPoint first;
    first.merge(points.front());
    if (points.size() == 1) {
      CHECK(first.took.answers() == 101);
    } else {
      REQUIRE(points.size() == 2);
      CHECK(first.took.answers() == 100);
      CHECK(points[1].took.answers() == 1);
    }
    CHECK(first.took.quantile(0.5) == doctest::Approx(0.5).epsilon(0.032));
    CHECK(first.took.quantile(0.99) == doctest::Approx(0.99).epsilon(0.032));
  }
}

TEST_CASE("minutes become tens of minutes after two hours, and go after three days") {
  Account a;
  DrainOverTime at({}, kBegin);
  auto run_to = [&, now = kBegin](Micros until) mutable {
    for (; now < until; now += 10 * kSecond) {
      a.ledger.delivered += 7;
      a.look(at, now + 5 * kSecond);
    }
  };
  run_to(kBegin + 3 * kHour + 5 * kMinute);
  DrainPast past = a.past(at, kBegin + 3 * kHour + 5 * kMinute);
  CHECK(past.tens.size() == 6);
  CHECK(past.minutes.size() >= 125);
  CHECK(past.minutes.size() <= 126);
  CHECK(past.minutes.front().time == kBegin + kHour);
  CHECK(past.whole_from_minutes == kBegin + kHour);
  CHECK(past.whole_from_tens == kBegin);
  for (const DrainPoint& ten : past.tens) CHECK(ten.delivered == 420);
  for (size_t i = 0; i + 1 < past.minutes.size(); ++i) CHECK(past.minutes[i].delivered == 42);
  check_account(past, a.ledger);

  run_to(kBegin + 75 * kHour);
  past = a.past(at, kBegin + 75 * kHour);
  CHECK(past.tens.front().time == kBegin + 3 * kHour);
  CHECK(past.whole_from_tens == kBegin + 3 * kHour);
  CHECK(past.tens.size() == 70 * 6);
  CHECK(total(past).delivered == 72 * 60 * 42);
}

TEST_CASE("a dead drain's quiet hours take next to nothing, and are told step by step") {
  Account a;
  a.state = DrainState::failing;
  a.ledger.buffered = 5;
  a.oldest = kBegin;
  DrainOverTime at({}, kBegin);
  // Looks come up to a second late.
  std::mt19937 rng(1);
  for (Micros now = kBegin; now < kBegin + 80 * kHour; now += 10 * kSecond)
    a.look(at, now + Micros(rng() % kSecond));
  CHECK(at.bytes() < 400);
  const DrainPast past = a.past(at, kBegin + 80 * kHour);
  CHECK(past.tens.size() == 70 * 6);
  CHECK(past.minutes.size() == 121);
  for (const auto* points : {&past.tens, &past.minutes}) {
    const Micros step = points == &past.tens ? kTen : kMinute;
    for (size_t i = 0; i < points->size(); ++i) {
      const DrainPoint& point = (*points)[i];
      CHECK(point.time == points->front().time + Micros(i) * step);
      CHECK(point.state == DrainState::failing);
      CHECK(point.buffered == 5);
      // The last look of a step is 10 s before its end.
      const Micros lag = point.time + step - 10 * kSecond - kBegin;
      if (i + 1 < points->size() || step == kTen) CHECK(std::abs(point.lag - lag) <= 3 * kSecond);
    }
  }
}

TEST_CASE("an idle drain takes nothing") {
  Account a;
  a.state = DrainState::pending;
  DrainOverTime at({}, kBegin);
  for (Micros now = kBegin; now < kBegin + 80 * kHour; now += kMinute) a.look(at, now);
  CHECK(at.bytes() == 0);
  CHECK(a.past(at, kBegin + 80 * kHour).whole_from_minutes == kBegin);
}

TEST_CASE("the bound takes the oldest, and whole_from says so") {
  Account a;
  DrainOverTime at({}, kBegin);
  for (Micros now = kBegin; now < kBegin + 10 * kHour; now += 20 * kSecond) {
    a.ledger.delivered += 1'000;
    a.ledger.dropped[1] += 1;
    a.look(at, now);
    at.answered(std::chrono::milliseconds(now / 20 % 1000));
  }
  const DrainPast whole = a.past(at, kBegin + 10 * kHour);
  check_account(whole, a.ledger);
  const size_t bytes = at.bytes();
  CHECK(bytes < 60 * (whole.tens.size() + whole.minutes.size()));
  at.hold_bound(bytes / 2);
  CHECK(at.bytes() <= bytes / 2);
  const DrainPast rest = a.past(at, kBegin + 10 * kHour);
  CHECK(rest.tens.size() + rest.minutes.size() < whole.tens.size() + whole.minutes.size());
  const auto& first = rest.tens.empty() ? rest.minutes.front() : rest.tens.front();
  CHECK(rest.whole_from_tens == first.time);
  CHECK(rest.whole_from_minutes >= first.time);
  uint64_t kept = 0;
  for (const auto* points : {&whole.tens, &whole.minutes})
    for (const DrainPoint& point : *points)
      if (point.time >= first.time) kept += point.delivered;
  CHECK(total(rest).delivered == kept);
  at.hold_bound(0);
  CHECK(at.bytes() == 0);
  a.ledger.delivered += 1;
  CHECK(a.past(at, kBegin + 10 * kHour + kMinute).minutes.back().delivered > 0);
}

TEST_CASE("a clock that is set back loses nothing") {
  Account a;
  DrainOverTime at({}, kBegin);
  const auto step = [&](Micros now) {
    a.ledger.delivered += 10;
    a.look(at, now);
  };
  step(kBegin + 30 * kSecond);
  step(kBegin + 5 * kMinute);
  step(kBegin + 2 * kMinute);  // a little
  DrainPast past = a.past(at, kBegin + 2 * kMinute);
  CHECK(times(past.minutes).back() == 5);
  check_account(past, a.ledger);
  step(kBegin + 100 * kHour);  // far ahead, and right again
  step(kBegin + 6 * kMinute);
  step(kBegin + 7 * kMinute);
  past = a.past(at, kBegin + 8 * kMinute);
  CHECK(past.minutes.back().time <= kBegin + 8 * kMinute);
  CHECK(past.whole_from_minutes <= kBegin + 8 * kMinute);
  CHECK(past.minutes.back().delivered + past.minutes[past.minutes.size() - 2].delivered >= 20);
}

TEST_CASE("whatever happens, the sum of all points is the account") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    std::mt19937 rng(seed);
    const auto chance = [&](unsigned of) { return rng() % of == 0; };
    Account a;
    DrainOverTime at({}, kBegin);
    uint64_t answers = 0;
    Micros now = kBegin;
    const Micros end = kBegin + Micros(1 + rng() % 70) * kHour;
    DrainPoint expected;  // buffered, lag: the most of all
    while (now < end) {
      now += Micros(1 + rng() % (chance(20) ? 3 * 3600 : 30)) * kSecond;
      if (chance(2)) a.ledger.delivered += rng() % 1000;
      if (chance(3)) a.ledger.filtered += rng() % 100;
      if (chance(4)) a.ledger.dropped[rng() % a.ledger.dropped.size()] += rng() % 5000;
      if (chance(4)) a.state = DrainState(rng() % 4);
      if (chance(3)) a.ledger.buffered = chance(2) ? 0 : rng() % 100;
      a.oldest = a.ledger.buffered ? now - Micros(rng() % 1000) * kSecond : 0;
      a.look(at, now);
      if (a.ledger.buffered) expected.buffered = std::max(expected.buffered, a.ledger.buffered);
      if (a.oldest) expected.lag = std::max(expected.lag, now - a.oldest);
      for (; chance(2); ++answers) at.answered(std::chrono::microseconds(rng() % 1'000'000));
    }
    const DrainPast past = a.past(at, now);
    CAPTURE(seed);
    check_account(past, a.ledger);
    const DrainPoint sum = total(past);
    CHECK(sum.took.answers() == answers);
    CHECK(sum.buffered == expected.buffered);
    CHECK(std::abs(sum.lag - expected.lag) <= 2 * kSecond);
    Micros last = 0;
    for (const auto* points : {&past.tens, &past.minutes})
      for (const DrainPoint& point : *points) {
        CHECK(point.time >= last);
        last = point.time + (points == &past.tens ? kTen : kMinute);
      }
  }
}
