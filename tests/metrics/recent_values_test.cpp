#include "metrics/series/recent_values.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "metrics/quantiles.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kNow = 1'700'000'000 * kSecond;  // where a step begins

double nearest_rank(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double rank = std::max(1.0, std::ceil(q * static_cast<double>(values.size()) - 1e-6));
  return values[static_cast<size_t>(rank) - 1];
}

void check_quantiles(const SignedSketch& sketch, const std::vector<double>& values) {
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0}) {
    const double exact = nearest_rank(values, q);
    CAPTURE(q);
    CHECK(std::abs(sketch.quantile(q) - exact) <= std::abs(exact) * 0.0079);
  }
}

SignedSketch seen(const RecentValues& recent, Micros now) {
  SignedSketch sketch;
  recent.merge_into(sketch, now);
  return sketch;
}

}  // namespace

TEST_CASE("quantiles of values of either sign agree with sorting them") {
  std::mt19937 random(7);
  for (const double share_below : {0.0, 0.1, 0.5, 0.99, 1.0}) {
    for (const int count : {1, 2, 3, 20, 1000}) {
      std::bernoulli_distribution below(share_below);
      std::lognormal_distribution<> size(0, 3);
      std::vector<double> values;
      SignedSketch one, two;
      for (int i = 0; i < count; ++i) {
        values.push_back(i % 17 == 5 ? 0 : size(random) * (below(random) ? -1 : 1));
        (i % 3 ? one : two).insert(values.back());
      }
      one.merge(two);
      check_quantiles(one, values);
    }
  }
  CHECK(std::isnan(SignedSketch().quantile(0.5)));
}

TEST_CASE("values are seen from their arrival on and leave after 56 to 60 s, few or many") {
  for (const int each : {1, 100}) {
    CAPTURE(each);
    RecentValues recent;
    std::mt19937 random(3);
    struct Arrived {
      Micros at;
      double value;
    };
    std::vector<Arrived> all;
    for (Micros t = kNow; t < kNow + 300 * kSecond; t += 7 * kSecond) {
      for (int i = 0; i < each; ++i) {
        const double value = std::uniform_real_distribution<>(-5, 50)(random);
        recent.add(value, t);
        all.push_back({t, value});
      }
      const SignedSketch sketch = seen(recent, t);
      std::vector<double> within;
      for (const Arrived& a : all)
        if (a.at / (4 * kSecond) > t / (4 * kSecond) - 15) within.push_back(a.value);
      check_quantiles(sketch, within);
    }
    CHECK(std::isnan(seen(recent, kNow + 400 * kSecond).quantile(0.5)));
    recent.expire(kNow + 400 * kSecond);
    CHECK(recent.memory() == 0);
  }
}

TEST_CASE("shares of two threads merge to what one would have seen") {
  std::mt19937 random(9);
  RecentValues one, left, right;
  for (int i = 0; i < 3000; ++i) {
    const Micros t = kNow + i * 20'000;
    const double value = std::normal_distribution<>(0, 9)(random);
    one.add(value, t);
    (i % 100 == 0 ? left : right).add(value, t);
  }
  SignedSketch merged = seen(left, kNow + 60 * kSecond);
  right.merge_into(merged, kNow + 60 * kSecond);
  for (const double q : kQuantiles) CHECK(merged.quantile(q) == seen(one, kNow + 60 * kSecond).quantile(q));
}

TEST_CASE("a late value is left out, a clock that was set back begins anew") {
  for (const int each : {1, 100}) {
    RecentValues recent;
    for (int i = 0; i < each; ++i) recent.add(1, kNow);
    recent.add(5, kNow - 60 * kSecond);
    CHECK(seen(recent, kNow).quantile(1) == 1);
    recent.add(7, kNow - 3600 * kSecond);
    CHECK(seen(recent, kNow - 3600 * kSecond).quantile(0.01) == 7);
    CHECK(seen(recent, kNow - 3600 * kSecond).quantile(1) == 7);
  }
}

TEST_CASE("few values take little memory") {
  RecentValues recent;
  for (int i = 0; i < 8; ++i) recent.add(i, kNow + i * kSecond);
  CHECK(recent.memory() <= 256);
  for (int i = 8; i < 24; ++i) recent.add(i, kNow + i * kSecond);
  CHECK(recent.memory() <= 384);
  // One value every 5 s for an hour never needs more.
  for (int i = 0; i < 720; ++i) recent.add(i, kNow + (100 + 5 * i) * kSecond);
  CHECK(recent.memory() <= 384);
}
