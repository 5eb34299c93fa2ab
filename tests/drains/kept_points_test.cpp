// Points in few bytes, against a list of them.

#include "drains/kept_points.h"

#include <doctest/doctest.h>

#include <deque>
#include <random>

using namespace tailrace;

namespace {

constexpr Micros kStep = 60'000'000;

DrainPoint copy_of(const DrainPoint& point) {
  DrainPoint copy;
  copy.time = point.time;
  copy.merge(point);
  return copy;
}

/// The slow twin, which takes every point as it is.
struct List {
  std::deque<DrainPoint> points;

  std::vector<DrainPoint> take_before(Micros time) {
    std::vector<DrainPoint> taken;
    for (; !points.empty() && points.front().time < time; points.pop_front())
      taken.push_back(copy_of(points.front()));
    return taken;
  }
};

template <class A, class B>
void check_same(const A& kept, const B& list) {
  REQUIRE(kept.size() == list.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    CAPTURE(i);
    CHECK(kept[i].time == list[i].time);
    CHECK(kept[i].state == list[i].state);
    CHECK(kept[i].delivered == list[i].delivered);
    CHECK(kept[i].filtered == list[i].filtered);
    CHECK(kept[i].dropped == list[i].dropped);
    CHECK(kept[i].buffered == list[i].buffered);
    CHECK(std::abs(kept[i].lag - list[i].lag) <= 2'000'000);
    CHECK(kept[i].took.answers() == list[i].took.answers());
    if (list[i].took.answers()) CHECK(kept[i].took.quantile(0.5) == list[i].took.quantile(0.5));
  }
}

}  // namespace

TEST_CASE("what is kept is what was given, whatever is taken off in between") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 rng(seed);
    const auto chance = [&](unsigned of) { return rng() % of == 0; };
    KeptPoints kept(kStep);
    List list;
    Micros time = 29'000'000 * kStep;
    DrainPoint waits;  // what a dead drain's minutes have in common
    for (int i = 0; i < 400; ++i) {
      time += kStep * Micros(chance(15) ? 1 + rng() % 30 : 1);
      if (chance(12)) {
        waits.state = DrainState(rng() % 4);
        waits.buffered = 1 + rng() % 3;
        waits.lag = Micros(rng() % 100) * 1'000'000;
      }
      DrainPoint point;
      point.time = time;
      point.state = waits.state;
      point.buffered = waits.buffered;
      point.lag = (waits.lag += kStep) + Micros(rng() % 900) * 1000;
      if (chance(10)) {
        if (chance(2)) point.delivered = rng() % 1'000'000'000;
        if (chance(2)) point.filtered = rng() % 100;
        if (chance(2)) point.dropped[rng() % point.dropped.size()] = rng();
        if (chance(2)) point.buffered = 0, point.lag = 0;
        for (; chance(2);) point.took.insert(std::chrono::microseconds(rng() % 100'000));
      }
      kept.add(point);
      list.points.push_back(copy_of(point));
      if (chance(25)) {
        const Micros until = list.points.front().time + Micros(rng() % 40) * kStep;
        check_same(kept.take_before(until), list.take_before(until));
      }
      if (chance(40) && !kept.empty()) {
        CHECK(kept.first() == list.points.front().time);
        const Micros end = kept.drop_first();
        list.take_before(end);
      }
      CHECK(kept.empty() == list.points.empty());
      if (chance(5)) check_same(kept.all(), list.points);
    }
    check_same(kept.all(), list.points);
    CHECK(kept.bytes() < 400 * 12);
  }
}

TEST_CASE("minutes in which the same records wait take a point's room together") {
  KeptPoints kept(kStep);
  DrainPoint point;
  for (int i = 0; i < 100; ++i) {
    point.time = Micros(1000 + i) * kStep;
    point.state = DrainState::failing;
    point.buffered = 7;
    point.lag = Micros(i) * kStep;
    kept.add(point);
  }
  CHECK(kept.bytes() < 16);
  CHECK(kept.all().size() == 100);
  point.time += 2 * kStep;  // a hole
  kept.add(point);
  CHECK(kept.bytes() < 32);
  CHECK(kept.all().back().time == point.time);
}
