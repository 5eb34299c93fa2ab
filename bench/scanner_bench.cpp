// ns per router line: the scanner alone, and with everything that is counted of it; ns per channel of a
// scrape.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "channels/batch.h"
#include "channels/channel.h"
#include "channels/chunk.h"
#include "channels/log.h"
#include "metrics/channel_families.h"
#include "metrics/metrics.h"

namespace tailrace {
namespace {

constexpr Micros kNow = 1'795'219'200'000'000;  // what the lines say

// Lines as a busy app has them: times spread, paths and addresses of different lengths.
std::vector<std::string> router_lines(size_t count) {
  std::mt19937 random(5);
  std::lognormal_distribution<> service(3, 1.2), bytes(7, 2);
  std::vector<std::string> lines;
  for (size_t i = 0; i < count; ++i) {
    lines.push_back(fmt::format(
        "at=info method=GET path=\"/{}?id={}\" host=shop.example.com "
        "request_id=1d9989ee-8aae-4897-974f-bb5cee68df44 "
        "fwd=\"{}.{}.56.214\" dyno=web.{} connect={}ms service={}ms status={} bytes={} protocol=https",
        std::string(random() % 40, 'p'), random() % 100000, random() % 256, random() % 256, random() % 20,
        random() % 3, static_cast<int>(service(random)), random() % 20 ? 200 : 404,
        static_cast<int>(bytes(random))));
  }
  return lines;
}

// A slice with these messages in chunks, as a log would hand it on.
std::vector<Slice> slices_of(const std::vector<std::string>& messages, std::string_view app,
                             std::string_view ids) {
  std::vector<Slice> slices;
  for (const std::string& message : messages) {
    NewRecord r;
    r.head = "2026-11-21T00:00:00.000000+00:00 host";
    r.time_size = 32;
    r.app = app;
    r.ids = ids;
    r.procid_size = static_cast<uint16_t>(ids.size() - 2);
    r.message = message;
    r.pri = 158;
    const auto size = static_cast<uint32_t>(entry_size(r.text_size()));
    if (slices.empty() || slices.back().chunk->capacity - slices.back().chunk->end < size)
      slices.push_back({Chunk::make(kMaxChunk, Position{1}), 0, 0, 0, Position{1}});
    Slice& slice = slices.back();
    write_entry(r, kNow, slice.chunk->data() + slice.chunk->end);
    slice.end_at = slice.chunk->end += size;
    slice.records = ++slice.chunk->count;
  }
  return slices;
}

template <RouterLine (*kScan)(std::string_view)>
void scan(benchmark::State& state) {
  const auto lines = router_lines(1024);
  size_t i = 0, bytes = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(kScan(lines[i % 1024]));
    bytes += lines[i++ % 1024].size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(i));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(scan<scan_router_line>)->Name("scan/router_line");
BENCHMARK(scan<scan_router_line_portably>)->Name("scan/router_line_portably");

// Batches of 150 records, what a read of 64 KiB holds; ns per record are items_per_second's inverse.
void append(benchmark::State& state, std::string_view app, std::string_view ids) {
  Metrics metrics;
  Channel channel;
  channel.id = std::to_string(1);
  const auto slices = slices_of(router_lines(150), app, ids);
  size_t records = 0;
  for (auto _ : state) {
    metrics.appended(channel, slices);
    records += 150;
  }
  state.SetItemsProcessed(static_cast<int64_t>(records));
}
BENCHMARK_CAPTURE(append, router_lines, "heroku", "router -");
BENCHMARK_CAPTURE(append, app_lines, "app", "web.1 -");

// One router line per batch over many channels: locks and cold memory included.
void append_spread(benchmark::State& state) {
  Metrics metrics;
  std::vector<std::unique_ptr<Channel>> channels;
  for (int i = 0; i < state.range(0); ++i) {
    channels.push_back(std::make_unique<Channel>());
    channels.back()->id = std::to_string(i);
    channels.back()->index = static_cast<uint32_t>(i);
  }
  std::vector<std::vector<Slice>> slices;
  for (const std::string& line : router_lines(256)) slices.push_back(slices_of({line}, "heroku", "router -"));
  size_t i = 0;
  for (auto _ : state) {
    metrics.appended(*channels[i % channels.size()], slices[i % 256]);
    ++i;
  }
  state.SetItemsProcessed(static_cast<int64_t>(i));
}
BENCHMARK(append_spread)->Arg(1)->Arg(100)->Arg(1000)->Arg(10000);

void scrape(benchmark::State& state) {
  Metrics metrics;
  Channel channel;
  const auto slices = slices_of(router_lines(150), "heroku", "router -");
  for (int i = 0; i < state.range(0); ++i) {
    channel.id = std::to_string(i);
    channel.index = static_cast<uint32_t>(i);
    metrics.appended(channel, slices);
  }
  size_t bytes = 0;
  for (auto _ : state) {
    ExpositionWriter out(ExpositionFormat::prometheus_text,
                         [&](std::string_view part) { bytes += part.size(); });
    const auto snapshots = metrics.snapshots(kNow);
    write_channel_families(out, snapshots);
    out.finish();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(scrape)->Arg(1)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
