// ns per insert, merge and quantile of the sketch.

#include "base/sketch.h"

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

namespace tailrace {
namespace {

std::vector<double> values(size_t count) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<> draw(-4, 1.2);
  std::vector<double> all(count);
  for (double& v : all) v = draw(random);
  return all;
}

void insert_warm(benchmark::State& state) {
  const auto all = values(4096);
  Sketch sketch;
  size_t i = 0;
  for (auto _ : state) sketch.insert(all[i++ % 4096]);
  benchmark::DoNotOptimize(sketch.count());
  state.counters["bytes"] = static_cast<double>(sketch.memory());
}
BENCHMARK(insert_warm);

// From empty, growth and its allocations included; ns per value are items_per_second's inverse.
void fill(benchmark::State& state) {
  const auto all = values(static_cast<size_t>(state.range(0)));
  size_t bytes = 0;
  for (auto _ : state) {
    Sketch sketch;
    for (const double v : all) sketch.insert(v);
    bytes = sketch.memory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(fill)->Arg(4)->Arg(32)->Arg(256)->Arg(4096);

void merge(benchmark::State& state) {
  Sketch part, into;
  for (const double v : values(static_cast<size_t>(state.range(0)))) part.insert(v);
  for (auto _ : state) into.merge(part);
}
BENCHMARK(merge)->Arg(32)->Arg(4096);

void quantile(benchmark::State& state) {
  Sketch sketch;
  for (const double v : values(static_cast<size_t>(state.range(0)))) sketch.insert(v);
  for (auto _ : state) benchmark::DoNotOptimize(sketch.quantile(0.9));
}
BENCHMARK(quantile)->Arg(32)->Arg(4096);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
