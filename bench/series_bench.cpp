// ns per line with three measure# pairs: read, counted, in its window; known series, folded ones, ever new
// ones; ns per series of a merge.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <string>
#include <vector>

#include "metrics/series/series_counts.h"
#include "metrics/series/series_snapshot.h"

namespace tailrace {
namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

// As an app writes them; of `names` different endpoints.
std::vector<std::string> sample_lines(size_t count, size_t names) {
  std::mt19937 random(5);
  std::lognormal_distribution<> latency(2, 1);
  std::vector<std::string> lines;
  for (size_t i = 0; i < count; ++i) {
    const size_t name = i % names;
    lines.push_back(fmt::format(
        "at=info endpoint=/api/things/{} source=web.{} measure#api.{}.time={:.3f}ms "
        "measure#api.{}.db={:.3f}ms measure#api.{}.size={}kB",
        random() % 1000, name % 4, name, latency(random) * 4, name, latency(random), name, random() % 90));
  }
  return lines;
}

void read(benchmark::State& state) {
  const auto lines = sample_lines(1024, 50);
  SampleLine line;
  size_t i = 0;
  for (auto _ : state) {
    scan_sample_line(lines[i++ % lines.size()], line);
    benchmark::DoNotOptimize(line);
  }
  state.SetItemsProcessed(static_cast<int64_t>(i));
}
BENCHMARK(read)->Name("series/read");

struct Share {
  explicit Share(uint64_t limit) : limits(limit, limit) {}
  SeriesLimits limits;
  std::shared_ptr<SeriesTable> table = std::make_shared<SeriesTable>(limits);
  SeriesCounts counts{table};
  OpenWindow window;
};

// Lines that were read before: what counting alone takes.
void count(benchmark::State& state, uint64_t limit, size_t names, bool windows) {
  const auto lines = sample_lines(names < 1024 ? 1024 : names, names);
  std::vector<SampleLine> read_lines(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) scan_sample_line(lines[i], read_lines[i]);
  Share share(limit);
  uint64_t i = 0;
  for (auto _ : state) {
    // 10,000 lines a second.
    const Micros now = kNow + static_cast<Micros>(i * 100);
    share.counts.add(read_lines[i % read_lines.size()], {now, {i}}, now, windows ? &share.window : nullptr);
    ++i;
  }
  state.SetItemsProcessed(static_cast<int64_t>(i));
}
BENCHMARK_CAPTURE(count, known, 1000, 50, false)->Name("series/count/known");
BENCHMARK_CAPTURE(count, known_in_window, 1000, 50, true)->Name("series/count/known_in_window");
BENCHMARK_CAPTURE(count, many_known, 10'000, 3000, false)->Name("series/count/9000_known");
BENCHMARK_CAPTURE(count, folded, 10, 50, false)->Name("series/count/folded");
BENCHMARK_CAPTURE(count, ever_new, 1000, 200'000, false)->Name("series/count/600000_names");

void merge(benchmark::State& state) {
  const auto lines = sample_lines(20'000, 333);
  Share share(1000);
  SampleLine line;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Micros now = kNow + static_cast<Micros>(i * 3000);
    scan_sample_line(lines[i], line);
    share.counts.add(line, {now, {i}}, now, nullptr);
  }
  for (auto _ : state) {
    SeriesMerge all;
    all.add(share.counts, kNow + 60'000'000);
    benchmark::DoNotOptimize(all.finish(*share.table, kNow + 60'000'000));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 999);
}
BENCHMARK(merge)->Name("series/merge_999")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
