#pragma once
// Every value of a series, kept: what a cell is compared with.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "metrics/rollup/cell.h"

namespace tailrace {

/// The sum as if it were rounded once (Shewchuk's expansions, as Python's fsum has it).
inline double exact_sum(const std::vector<double>& values) {
  std::vector<double> partials;
  for (double x : values) {
    std::vector<double> kept;
    for (double y : partials) {
      if (std::abs(x) < std::abs(y)) std::swap(x, y);
      const double high = x + y, low = y - (high - x);
      if (low != 0) kept.push_back(low);
      x = high;
    }
    kept.push_back(x);
    partials = std::move(kept);
  }
  double sum = 0;
  for (auto p = partials.rbegin(); p != partials.rend(); ++p) sum += *p;
  return sum;
}

struct ExactValues {
  std::vector<double> values;
  double last = 0;
  Stamp at;

  void add(double value, Stamp stamp) {
    values.push_back(value);
    if (values.size() == 1 || stamp > at || (stamp == at && value > last)) last = value;
    at = std::max(at, stamp);
  }
  void add(const ExactValues& other) {
    for (const double v : other.values) values.push_back(v);
    if (other.at > at) last = other.last, at = other.at;
  }
};

/// Whether a cell says what these values do.
inline void check_same(const Cell& cell, const ExactValues& exact) {
  REQUIRE(cell.count() == exact.values.size());
  if (exact.values.empty()) {
    CHECK(cell.sum() == 0);
    CHECK(std::isnan(cell.min()));
    CHECK(std::isnan(cell.quantile(0.5)));
    return;
  }
  std::vector<double> sorted = exact.values;
  std::sort(sorted.begin(), sorted.end());
  const double sum = exact_sum(exact.values), size = static_cast<double>(sorted.size());
  double magnitudes = 0;
  for (const double v : sorted) magnitudes += std::abs(v);
  // The last bit, and what cancelling leaves of the rounding of what was rounded away.
  CHECK(std::abs(cell.sum() - sum) <= std::abs(sum) * 0x1p-52 + magnitudes * size * 0x1p-100);
  CHECK(cell.min() == sorted.front());
  CHECK(cell.max() == sorted.back());
  CHECK(cell.mean() == cell.sum() / size);
  CHECK(cell.last() == exact.last);
  for (const double q : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const auto rank = std::clamp<size_t>(static_cast<size_t>(std::ceil(q * size - 1e-6)), 1, sorted.size());
    const double nearest = sorted[rank - 1], seen = cell.quantile(q);
    CAPTURE(q);
    CAPTURE(nearest);
    CAPTURE(seen);
    CHECK(std::abs(seen - nearest) <= std::abs(nearest) / 128 * 1.000001);
  }
  CHECK(cell.quantile(0) == sorted.front());
  CHECK(cell.quantile(1) == sorted.back());
}

using DrawValue = std::function<double(std::mt19937_64&)>;

inline const std::vector<std::pair<const char*, DrawValue>>& kinds_of_values() {
  static const std::vector<std::pair<const char*, DrawValue>> all = {
      {"seconds", [](auto& r) { return std::lognormal_distribution<>(-3, 1.2)(r); }},
      {"bytes", [](auto& r) { return std::floor(std::lognormal_distribution<>(18, 3)(r)); }},
      {"ones", [](auto&) { return 1.0; }},
      {"zeros, ones and around",
       [](auto& r) { return double(std::uniform_int_distribution<>(-2, 3)(r)) / 2; }},
      {"either sign", [](auto& r) { return std::normal_distribution<>(0, 1000)(r); }},
      {"below zero", [](auto& r) { return -std::exponential_distribution<>(3)(r) - 1e-6; }},
      {"the whole range", [](auto& r) { return std::exp2(std::uniform_real_distribution<>(-32, 48)(r)); }},
  };
  return all;
}

}  // namespace tailrace
