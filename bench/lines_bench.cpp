// ns per line for what reads lines that are no router's: the prefilter, l2met's pairs, times, and quantities.

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "base/time_text.h"
#include "metrics/lines/line_time.h"
#include "metrics/lines/quantity.h"
#include "metrics/lines/router_line.h"
#include "metrics/lines/sample_line.h"

namespace tailrace {
namespace {

// Lines as apps print them: words, paths, JSON, key=value.
std::vector<std::string> plain_lines(size_t count) {
  const char* const kPieces[] = {
      "Started GET \"/articles/17\" for 10.1.2.3 at 2026-11-21 00:00:00 +0000",
      " [info] rendered index.html.erb",
      " Completed 200 OK in 15.3ms (Views: 12.1ms | ActiveRecord: 2.2ms)",
      " {\"level\":\"info\",\"name\":\"web\"}",
      " at=info user=17 path=/x/y.z?a=b#top elapsed=0.0134",
      " Done. Here are the next steps.",
  };
  std::mt19937 random(5);
  std::vector<std::string> lines(count);
  for (std::string& line : lines)
    for (size_t n = 1 + random() % 3; n > 0; --n) line += kPieces[random() % std::size(kPieces)];
  return lines;
}

// Runtime metrics, an add-on's line, and a user's.
std::vector<std::string> sample_lines() {
  return {
      "source=web.1 dyno=heroku.54241834.4b88c98d-6243-4194-af49-8db9b53be371 sample#memory_total=154.85MB "
      "sample#memory_rss=139.79MB sample#memory_cache=3.63MB sample#memory_swap=11.43MB "
      "sample#memory_pgpgin=80522pages sample#memory_pgpgout=53004pages sample#memory_quota=512.00MB",
      "source=REDIS sample#active-connections=1 sample#load-avg-1m=0.165 sample#load-avg-5m=0.11 "
      "sample#load-avg-15m=0.095 sample#read-iops=0 sample#write-iops=0 sample#memory-total=15664332.0kB "
      "sample#memory-free=12331548.0kB sample#memory-cached=1262536.0kB sample#memory-redis=278024bytes "
      "sample#hit-rate=1 sample#evicted-keys=0",
      "at=finish job=mail.deliver measure#job.time=153.2ms count#job.done=1 sample#job.queue=17 "
      "source=worker.3",
  };
}

void prefilter(benchmark::State& state) {
  const auto lines = plain_lines(1024);
  size_t i = 0, bytes = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(may_have_samples(lines[i % 1024]));
    bytes += lines[i++ % 1024].size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(i));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(prefilter);

// items_per_second is pairs.
template <void (*kScan)(std::string_view, SampleLine&)>
void samples(benchmark::State& state) {
  const std::string text = sample_lines()[static_cast<size_t>(state.range(0))];
  SampleLine line;
  size_t pairs = 0;
  for (auto _ : state) {
    kScan(text, line);
    pairs += line.pairs.size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(pairs));
}
BENCHMARK(samples<scan_sample_line>)->Name("samples")->DenseRange(0, 2);
BENCHMARK(samples<scan_sample_line_portably>)->Name("samples/portably")->DenseRange(0, 2);

void line_time(benchmark::State& state) {
  std::vector<std::string> times;
  for (size_t i = 0; i < 1024; ++i)
    times.push_back(rfc3339_micros(1'700'000'000'000'000 + static_cast<Micros>(i * 123'457)));
  LineTime line_time;
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(line_time.read(times[i++ % 1024], 0));
}
BENCHMARK(line_time);

void quantity(benchmark::State& state, std::string_view text) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(parse_quantity(text));
  }
}
BENCHMARK_CAPTURE(quantity, ms, "153.2ms");
BENCHMARK_CAPTURE(quantity, plain, "17");
BENCHMARK_CAPTURE(quantity, pages, "348836pages");

void request_id(benchmark::State& state) {
  const std::string line =
      "at=info method=GET path=\"/users\" host=myapp.com request_id=c1806361-2081-42e7-a8aa-92b6808eac8e "
      "fwd=\"24.76.242.18\" dyno=web.1 connect=1ms service=37ms status=201 bytes=828";
  for (auto _ : state) benchmark::DoNotOptimize(router_value(line, "request_id"));
}
BENCHMARK(request_id);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
