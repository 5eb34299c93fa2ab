// ns per value and line counted into windows; what a round of the keeper and an answer take.

#include <benchmark/benchmark.h>

#include <filesystem>
#include <mutex>
#include <random>
#include <vector>

#include "metrics/rollup/disk_rollups.h"
#include "metrics/rollup/memory_rollups.h"
#include "metrics/rollup/rollup_keeper.h"
#include "metrics/rollup/rollup_query.h"

namespace tailrace {
namespace {

constexpr Micros kNow = 1'795'000'000'000'000 / (60 * kMinute) * (60 * kMinute) + 30 * kMinute;

std::vector<double> values() {
  std::mt19937_64 random(1);
  std::lognormal_distribution<> draw(-4, 1.2);
  std::vector<double> all(4096);
  for (double& v : all) v = draw(random);
  return all;
}

// One value of a fixed series, and of one of the channel's own.
void add(benchmark::State& state) {
  const auto all = values();
  OpenWindows windows;
  const auto series = static_cast<SeriesId>(state.range(0));
  uint64_t i = 0;
  for (auto _ : state) {
    Micros time = kNow + static_cast<Micros>(i / 100);
    windows.at(time, time)->add(series, all[i % 4096], {time, {i}});
    ++i;
  }
}
BENCHMARK(add)->Arg(series_service)->Arg(first_own_series + 7);

// A router line: five values, its status, its positions once per 60 lines.
void router_line(benchmark::State& state) {
  const auto all = values();
  OpenWindows windows;
  uint64_t i = 0;
  for (auto _ : state) {
    Micros time = kNow + static_cast<Micros>(i / 100);
    OpenWindow& window = *windows.at(time, time);
    const Stamp at{time, {i}};
    for (SeriesId series = 0; series < series_status_none; ++series)
      window.add(series, all[(i + series) % 4096], at);
    window.count(series_status_1xx + 1, at);
    if (i % 60 == 59) windows.cover({i - 59}, {i + 1});
    ++i;
  }
  state.SetItemsProcessed(static_cast<int64_t>(i) * 6);
}
BENCHMARK(router_line);

/// So many channels, each with a router's series and `own` of its own, two shards, `lines` of ten seconds.
class Fleet final : public RollupSource {
 public:
  Fleet(uint32_t channels, SeriesId own, int lines) : own_(own), lines_(lines), shards_(channels * 2) {}

  void count(Micros now) {
    std::mt19937_64 random(1);
    for (size_t s = 0; s < shards_.size(); ++s) {
      for (int line = 0; line < lines_; ++line) {
        Micros time = now + line;
        OpenWindow& window = *shards_[s].at(time, now);
        const Stamp at{time, {position_}};
        const double value = std::lognormal_distribution<>(-4, 1.2)(random);
        for (SeriesId series = 0; series < series_status_none; ++series) window.add(series, value, at);
        window.count(series_status_1xx + 1, at);
        for (SeriesId own = 0; own < own_; ++own) window.add(first_own_series + own, value, at);
        shards_[s].cover({position_}, {position_ + 1});
        ++position_;
      }
    }
  }
  OpenRoom& room() override { return room_; }
  std::vector<uint32_t> channels_counted() override {
    std::vector<uint32_t> all(shards_.size() / 2);
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
  }
  RollupDelta take(uint32_t channel) override {
    RollupDelta delta;
    for (const size_t s : {channel * 2, channel * 2 + 1})
      delta.add(shards_[s].take(), [](SeriesId id) {
        return SeriesName(
            SeriesKey{SeriesKind::router, "router.series." + std::to_string(id), "", "seconds"});
      });
    return delta;
  }
  void replay(const Channel& /*channel*/, std::span<const Slice> /*slices*/) override {}

 private:
  const SeriesId own_;
  const int lines_;
  uint64_t position_ = 1;
  OpenRoom room_{1u << 30};
  std::vector<OpenWindows> shards_;
};

struct Dir {
  ~Dir() { std::filesystem::remove_all(path); }
  const std::string path = [] {
    std::string made = (std::filesystem::temp_directory_path() / "tailrace-bench-XXXXXX").string();
    return std::string(::mkdtemp(made.data()));
  }();
};

std::unique_ptr<RollupStore> store_of(bool disk, const Dir& dir) {
  const auto now = [] { return kNow; };
  return disk ? disk_rollups(dir.path, 4ull << 30, {now}) : memory_rollups(4ull << 30, {now});
}

// One round over 10,000 channels, 20 router lines each, into a minute that is there already.
void round_of_10000(benchmark::State& state) {
  const Dir dir;
  const auto store = store_of(state.range(0), dir);
  Fleet fleet(10'000, 0, 10);
  RollupKeeper keeper(fleet, *store, {.now = [] { return kNow; }});
  fleet.count(kNow);
  (void)keeper.merge_now();
  for (auto _ : state) {
    state.PauseTiming();
    fleet.count(kNow);
    state.ResumeTiming();
    (void)keeper.merge_now();
  }
}
BENCHMARK(round_of_10000)->ArgName("disk")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// Two hours in minutes, 30 series, their quantiles included.
void answer(benchmark::State& state) {
  const Dir dir;
  const auto store = store_of(state.range(0), dir);
  Fleet fleet(1, 24, 100);
  RollupKeeper keeper(fleet, *store, {.now = [] { return kNow; }});
  for (Micros minute = kNow - 120 * kMinute; minute < kNow; minute += kMinute) {
    fleet.count(minute);
    (void)keeper.merge_now();
  }
  size_t points = 0;
  for (auto _ : state) {
    RollupQuery query{kNow - 120 * kMinute, kNow, kMinute, {}};
    auto found = keeper.read(0, query.from, query.to);
    const RollupSteps steps = steps_of(*found, query);
    points = steps.points;
    for (const auto& [name, at] : steps.series)
      for (const auto& [time, cell] : at)
        for (const double q : {0.5, 0.95, 0.99}) benchmark::DoNotOptimize(cell.quantile(q));
  }
  state.counters["points"] = static_cast<double>(points);
}
BENCHMARK(answer)->ArgName("disk")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
