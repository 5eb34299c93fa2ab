// ns per record of a log in memory: batches of 100 appended, and read and settled by the cursors of drains.

#include <benchmark/benchmark.h>

#include <list>
#include <string>
#include <vector>

#include "base/loops.h"
#include "channels/memory_log.h"

namespace tailrace {
namespace {

constexpr Micros kNow = 1'795'247'154'000'000;
constexpr int kBatch = 100;
constexpr uint32_t kRead = 64 * 1024;

struct Nobody final : Task {
  void run_task() override {}
};
struct Ignored final : AppendWaiter {
  void appended(Result<Position> first) override { benchmark::DoNotOptimize(first); }
};

BatchSet batch_of(const ChannelPtr& channel, const std::string& message) {
  NewRecord record;
  record.head = "2026-11-21T07:45:54.123456+00:00 host";
  record.time_size = 32;
  record.app = "heroku";
  record.ids = "router -";
  record.procid_size = 6;
  record.pri = 158;
  record.message = message;
  BatchSet set;
  for (int i = 0; i < kBatch; ++i) set.add(channel, record);
  return set;
}

void read_all(Cursor& cursor) {
  for (;;) {
    const Read read = cursor.read(kRead);
    if (read.empty()) break;
    benchmark::DoNotOptimize(*read.slice.begin());
    cursor.settle(read.slice.records, 0);
  }
  cursor.park();
}

/// range(0): cursors, each of which reads every batch as it comes; range(1): bytes of MSG.
void append(benchmark::State& state) {
  MemoryPressure pressure{1u << 30, [] {}};
  const auto channel = std::make_shared<Channel>();
  channel->log = std::make_unique<MemoryLog>(*channel, LogLimits{}, Position{1}, nullptr, pressure);
  Loop loop;
  Nobody task;
  std::list<Cursor> cursors;
  for (int64_t i = 0; i < state.range(0); ++i)
    cursors.emplace_back(Cursor::Kind::drain, loop.pass, task).attach(*channel->log);
  const std::string message(size_t(state.range(1)), 'x');
  const BatchSet set = batch_of(channel, message);
  Ignored waiter;
  for (auto _ : state) {
    set.for_each(kNow, [&](Channel& c, const Batch& batch) { c.log->append(batch, waiter); });
    for (Cursor& cursor : cursors) read_all(cursor);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.counters["ns_per_record"] = benchmark::Counter(
      double(state.iterations()) * kBatch, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  for (Cursor& cursor : cursors) cursor.detach();
}
BENCHMARK(append)->ArgNames({"cursors", "message"})->ArgsProduct({{0, 1, 6}, {0, 200}});

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
