#include "metrics/queueing/dynos_seen.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kStart = 1'700'000'000 * kSecond;

std::string web(size_t n) {
  return "web." + std::to_string(n);
}

}  // namespace

TEST_CASE("a dyno counts from its line on, for 60 s") {
  DynosSeen dynos;
  CHECK(dynos.count(kStart) == 0);
  dynos.add("web.1", kStart);
  dynos.add("web.2", kStart + 10 * kSecond);
  dynos.add("web.1", kStart + 20 * kSecond);
  dynos.add("", kStart);
  CHECK(dynos.count(kStart + 20 * kSecond) == 2);
  CHECK(dynos.count(kStart + 70 * kSecond - 1) == 2);
  CHECK(dynos.count(kStart + 70 * kSecond) == 1);
  CHECK(dynos.count(kStart + 80 * kSecond) == 0);
  dynos.expire(kStart + 80 * kSecond);
  CHECK(dynos.memory() == 0);
  dynos.add("web.1", kStart + 81 * kSecond);
  CHECK(dynos.count(kStart + 81 * kSecond) == 1);
}

TEST_CASE("names of every length are told apart") {
  DynosSeen dynos;
  size_t names = 0;
  for (size_t length = 1; length <= 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      std::string name(length, 'a');
      name[at] = 'b';
      dynos.add(name, kStart);
      dynos.add(name, kStart + 1);
      ++names;
    }
  }
  REQUIRE(names < DynosSeen::kMost);
  CHECK(dynos.count(kStart) == names);
}

TEST_CASE("bounded: what was not seen lately makes room, what was stays") {
  DynosSeen dynos;
  for (size_t i = 0; i < 5000; ++i) dynos.add(web(i), kStart);
  CHECK(dynos.count(kStart) == DynosSeen::kMost);
  CHECK(dynos.memory() <= 2 * DynosSeen::kMost * 16);
  // A fleet whose dynos get new names all the time.
  for (size_t i = 0; i < 200'000; ++i)
    dynos.add("web-" + std::to_string(i), kStart + 61 * kSecond + Micros(i) * kSecond);
  const Micros now = kStart + 61 * kSecond + 199'999 * kSecond;
  CHECK(dynos.count(now) == 60);
  CHECK(dynos.memory() <= 256 * 16);
}

TEST_CASE("merging is the union") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::map<std::string, Micros> seen;
    DynosSeen a, b;
    for (int i = 0; i < 300; ++i) {
      const std::string name = web(random() % 200);
      const Micros at = kStart + Micros(random() % 120) * kSecond;
      Micros& last = seen[name];
      last = std::max(last, at);
      // A thread's own lines are in order.
      DynosSeen& one = random() % 2 ? a : b;
      DynosSeen step;
      step.add(name, at);
      one.merge(step);
    }
    DynosSeen all;
    all.merge(a);
    all.merge(b);
    for (Micros now = kStart; now < kStart + 200 * kSecond; now += 7 * kSecond) {
      size_t expected = 0;
      for (const auto& [name, at] : seen) expected += at > now - 60 * kSecond && at < now + 60 * kSecond;
      CHECK(all.count(now) == expected);
    }
    all.merge(b);
    a.merge(b);
    CHECK(a.count(kStart + 100 * kSecond) == all.count(kStart + 100 * kSecond));
  }
}

TEST_CASE("a clock that was set back does not keep dynos for ever") {
  DynosSeen dynos;
  dynos.add("web.1", kStart);
  CHECK(dynos.count(kStart - 3600 * kSecond) == 0);
  dynos.add("web.1", kStart - 3600 * kSecond);
  CHECK(dynos.count(kStart - 3600 * kSecond) == 1);
}
