#include "base/sketch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

using namespace tailrace;

namespace {

double nearest_rank(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-6));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

void check_close(const Sketch& sketch, const std::vector<double>& values) {
  REQUIRE(sketch.count() == values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  CHECK(sketch.sum() == doctest::Approx(sum).epsilon(1e-9));
  CHECK(sketch.min() == *std::min_element(values.begin(), values.end()));
  CHECK(sketch.max() == *std::max_element(values.begin(), values.end()));
  CHECK(sketch.quantile(1) == sketch.max());
  for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const double exact = nearest_rank(values, q), seen = sketch.quantile(q);
    CAPTURE(q);
    CAPTURE(exact);
    CAPTURE(seen);
    CHECK(std::abs(seen - exact) <= exact / 128 * 1.000001);
  }
}

using Draw = std::function<double(std::mt19937_64&)>;

const std::vector<std::pair<const char*, Draw>>& distributions() {
  static const std::vector<std::pair<const char*, Draw>> all = {
      {"lognormal", [](auto& r) { return std::lognormal_distribution<>(-3, 1.2)(r); }},
      {"uniform", [](auto& r) { return std::uniform_real_distribution<>(0.001, 30)(r); }},
      {"exponential", [](auto& r) { return std::exponential_distribution<>(10)(r) + 1e-6; }},
      {"constant", [](auto&) { return 0.008; }},
      {"whole milliseconds, many zero",
       [](auto& r) { return std::floor(std::exponential_distribution<>(0.4)(r)) / 1000; }},
      {"two humps, H12 beside hits",
       [](auto& r) {
         return std::bernoulli_distribution(0.02)(r) ? 30.0 : std::lognormal_distribution<>(-4, 0.3)(r);
       }},
      {"the whole range", [](auto& r) { return std::exp2(std::uniform_real_distribution<>(-32, 48)(r)); }},
  };
  return all;
}

}  // namespace

TEST_CASE("quantiles are within 0.78 % of the exact nearest rank") {
  std::mt19937_64 random(1);
  for (const auto& [name, draw] : distributions()) {
    CAPTURE(name);
    for (const size_t n : {1, 2, 3, 10, 20, 31, 32, 33, 100, 1000, 20000}) {
      CAPTURE(n);
      Sketch sketch;
      std::vector<double> values;
      for (size_t i = 0; i < n; ++i) {
        values.push_back(draw(random));
        sketch.insert(values.back());
      }
      check_close(sketch, values);
    }
  }
}

TEST_CASE("merging equals inserting into one") {
  std::mt19937_64 random(2);
  for (const auto& [name, draw] : distributions()) {
    CAPTURE(name);
    for (const size_t parts : {2, 3, 12}) {
      Sketch merged, widened, whole;
      std::vector<double> values;
      for (size_t p = 0; p < parts; ++p) {
        Sketch part;
        const size_t n = std::uniform_int_distribution<size_t>(0, p % 2 ? 2000 : 20)(random);
        for (size_t i = 0; i < n; ++i) {
          values.push_back(draw(random));
          part.insert(values.back());
          whole.insert(values.back());
        }
        merged.merge(part);
        widened.merge(part);
        if (p % 3 == 0) widened.widen();
      }
      if (values.empty()) continue;
      check_close(merged, values);
      for (double q = 0; q <= 1; q += 0.01) {
        CHECK(merged.quantile(q) == whole.quantile(q));
        CHECK(widened.quantile(q) == whole.quantile(q));
      }
    }
  }
}

TEST_CASE("the ends of the range, zero, and what is no value") {
  Sketch sketch;
  CHECK(std::isnan(sketch.quantile(0.5)));
  CHECK(std::isnan(sketch.max()));
  for (const double v : {-1.0, -0.001, std::nan(""), double(INFINITY), -double(INFINITY)}) sketch.insert(v);
  CHECK(sketch.count() == 0);

  for (int i = 0; i < 3; ++i) sketch.insert(0);
  CHECK(sketch.quantile(0.5) == 0);
  CHECK(sketch.max() == 0);
  CHECK(sketch.memory() == 0);

  sketch.insert(1e-25);
  sketch.insert(1e18);
  CHECK(sketch.count() == 5);
  CHECK(sketch.min() == 0);
  CHECK(sketch.quantile(1) == 1e18);
  CHECK(sketch.sum() == doctest::Approx(1e18));
  // Beyond the range only the bucket is clamped; an answer still lies between the smallest and the largest.
  CHECK(sketch.quantile(0.8) <= Buckets::lower_end(1));

  Sketch tiny;
  for (int i = 0; i < 3; ++i) tiny.insert(2e18);
  CHECK(tiny.quantile(0.5) == 2e18);
}

TEST_CASE("memory follows the contents") {
  Sketch sketch;
  for (int i = 0; i < 32; ++i) sketch.insert(0.001 * (1 << (i % 15)));
  CHECK(sketch.memory() <= 64);
  for (int i = 0; i < 10000; ++i) sketch.insert(0.001 * (1 + i % 30000));
  CHECK(sketch.memory() <= 4096);
  const size_t busy = sketch.memory();
  sketch.clear();
  CHECK(sketch.count() == 0);
  CHECK(std::isnan(sketch.quantile(0.5)));
  CHECK(sketch.memory() == busy);
  sketch.insert(0.5);
  CHECK(sketch.quantile(0.5) == 0.5);
  sketch.clear();  // one value does not justify the window
  CHECK(sketch.memory() == 0);

  Sketch hostile;
  std::mt19937_64 random(3);
  for (int i = 0; i < 100000; ++i)
    hostile.insert(std::exp2(std::uniform_real_distribution<>(-40, 60)(random)));
  CHECK(hostile.memory() <= Buckets::kBuckets * 4);
}
