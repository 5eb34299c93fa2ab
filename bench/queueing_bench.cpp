// ns per router line of what queueing keeps: the dynos seen, and the window.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "metrics/queueing/queueing_window.h"

namespace tailrace {
namespace {

// Lines name dynos as a fleet of so many would: in no order.
std::vector<std::string> dynos(int64_t count, std::string_view prefix) {
  std::vector<std::string> all;
  uint64_t state = 1;
  for (int i = 0; i < 4096; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    all.push_back(std::string(prefix) + std::to_string(1 + (state >> 33) % static_cast<uint64_t>(count)));
  }
  return all;
}

void dyno_seen(benchmark::State& state, std::string_view prefix) {
  const auto names = dynos(state.range(0), prefix);
  DynosSeen seen;
  size_t i = 0;
  Micros now = 1;
  for (auto _ : state) seen.add(names[i++ % 4096], ++now);
  benchmark::DoNotOptimize(seen.count(now));
}
BENCHMARK_CAPTURE(dyno_seen, short_names, "web.")->Arg(1)->Arg(8)->Arg(100)->Arg(1000);
BENCHMARK_CAPTURE(dyno_seen, long_names, "web-6d5f8c9b7-")->Arg(8)->Arg(100);

void request(benchmark::State& state) {
  const auto names = dynos(state.range(0), "web.");
  QueueingWindow window;
  size_t i = 0;
  Micros now = 1;
  for (auto _ : state) {
    now += 1000;
    window.add_dyno(now, names[i++ % 4096]);
    window.add_requests(now, 1, 0, {});
  }
  benchmark::DoNotOptimize(window.memory());
}
BENCHMARK(request)->Arg(8)->Arg(100);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
