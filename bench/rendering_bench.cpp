// ns per record of what readers get: the three forms, JSON of several kinds of text, filters, and what is
// left of that for each further reader who asked for the same.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/loops.h"
#include "channels/memory_log.h"
#include "tests/drains/made_record.h"
#include "web/renderings.h"

namespace tailrace {
namespace {

constexpr auto kTime = "2026-11-21T07:45:54.123456+00:00";

/// Two in three of the router, one of the app's own.
std::vector<std::string> lines(size_t count) {
  std::mt19937 random(5);
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    if (i % 3 == 0) {
      out.push_back(fmt::format("Completed 200 OK in {}ms (Views: {}.{}ms | ActiveRecord: {}.{}ms)\n",
                                below(900), below(99), below(9), below(99), below(9)));
      continue;
    }
    out.push_back(fmt::format(
        R"(at=info method=GET path="/items/{}?page={}" host=shop.example.com request_id={:08x}-{:04x}-{:04x}-{:04x} )"
        R"(fwd="203.0.113.{}" dyno=web.{} connect={}ms service={}ms status={} bytes={} protocol=https)"
        "\n",
        below(99999), below(9), random(), below(65536), below(65536), below(65536), below(254), below(8),
        below(3), below(900), below(50) ? 200 : 503, below(20000)));
  }
  return out;
}

const std::vector<MadeRecord>& records() {
  static const auto made = [] {
    std::vector<MadeRecord> all;
    for (const std::string& line : lines(3000))
      all.emplace_back(line, 158, kTime, "host", "heroku", "router");
    return all;
  }();
  return made;
}

void per_record(benchmark::State& state, size_t each) {
  state.counters["ns_per_record"] = benchmark::Counter(
      double(state.iterations()) * double(each), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void form(benchmark::State& state, TailForm form) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    uint64_t number = 1'234'567;
    for (const MadeRecord& made : records()) append_record(out, form, {number++}, made.record());
    benchmark::DoNotOptimize(out.data());
  }
  per_record(state, records().size());
}
BENCHMARK_CAPTURE(form, text, TailForm::text);
BENCHMARK_CAPTURE(form, ndjson, TailForm::ndjson);
BENCHMARK_CAPTURE(form, events, TailForm::events);

void with_nlohmann(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    uint64_t number = 1'234'567;
    for (const MadeRecord& made : records()) {
      const Record record = made.record();
      const nlohmann::json object{
          {"seq", number++},           {"time", record.time()},   {"app", record.app()},
          {"procid", record.procid()}, {"msgid", record.msgid()}, {"host", record.host()},
          {"severity", "info"},        {"facility", "local3"},    {"message", record.message()}};
      out += object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    benchmark::DoNotOptimize(out.data());
  }
  per_record(state, records().size());
}
BENCHMARK(with_nlohmann);

void json_string(benchmark::State& state, std::string piece) {
  std::string text;
  while (text.size() < 4096) text += piece;
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_json_string(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * int64_t(text.size()));
}
BENCHMARK_CAPTURE(json_string, plain, "no byte of this needs anything, ");
BENCHMARK_CAPTURE(json_string, a_quote_in_16, "fifteen bytes: \"");
BENCHMARK_CAPTURE(json_string, quotes, "\"");
BENCHMARK_CAPTURE(json_string, colours, "\x1b[32mINFO\x1b[0m done ");
BENCHMARK_CAPTURE(json_string, german,
                  "Gr\xc3\xb6\xc3\x9f"
                  "e ge\xc3\xa4ndert, ");
BENCHMARK_CAPTURE(json_string, japanese, "\xe3\x83\xad\xe3\x82\xb0\xe3\x81\xae\xe8\xa1\x8c");
BENCHMARK_CAPTURE(json_string, invalid, "\xff");

/// A log with 300 records, and its slices.
struct Stored {
  Stored() : pressure{1u << 30, [] {}}, channel(std::make_shared<Channel>()) {
    channel->id = "1";
    channel->log = std::make_unique<MemoryLog>(*channel, LogLimits{}, Position{1000}, nullptr, pressure);
    BatchSet set;
    const std::vector<std::string> all = lines(300);
    for (const std::string& line : all) {
      NewRecord r;
      r.head = "2026-11-21T07:45:54.123456+00:00 host";
      r.time_size = 32;
      r.app = "heroku";
      r.ids = "router -";
      r.procid_size = 6;
      r.message = line;
      set.add(channel, r);
    }
    struct Waiter final : AppendWaiter {
      void appended(Result<Position>) override {}
    } waiter;
    set.for_each(1, [&](Channel& c, const Batch& b) { c.log->append(b, waiter); });
    struct Sleeper final : Task {
      void run_task() override {}
    } task;
    Cursor cursor(Cursor::Kind::tail, loop.pass, task);
    cursor.attach(*channel->log, Place::newest(300));
    for (Read read = cursor.read(kMaxChunk); !read.slice.empty(); read = cursor.read(kMaxChunk))
      slices.push_back(read.slice);
  }
  MemoryPressure pressure;
  ChannelPtr channel;
  Loop loop;
  std::vector<Slice> slices;
};

/// One reader after the other asks for the same, in slices of one record or of all.
void followers(benchmark::State& state, TailWishes wishes) {
  const Stored stored;
  const TailFilterPtr filter = TailFilter::parse(wishes).filter;
  std::vector<Slice> slices;
  for (const Slice& slice : stored.slices) {
    Slice one = slice;
    for (Slice rest = slice; state.range(1) && !rest.empty();) {
      one = rest;
      one.records = 1;
      one.end_at = rest.begin_at + uint32_t((*rest.begin()).stride());
      rest.begin_at = one.end_at;
      --rest.records;
      ++rest.first.value;
      slices.push_back(one);
    }
    if (!state.range(1)) slices.push_back(slice);
  }
  for (auto _ : state) {
    Renderings renderings;
    for (const Slice& slice : slices)
      for (int64_t i = 0; i < state.range(0); ++i)
        benchmark::DoNotOptimize(renderings.of(filter, TailForm::text, slice).records());
  }
  per_record(state, 300 * size_t(state.range(0)));
}
BENCHMARK_CAPTURE(followers, all, TailWishes{})
    ->ArgNames({"readers", "single"})
    ->ArgsProduct({{1, 10, 1000}, {0, 1}});
BENCHMARK_CAPTURE(followers, grep, TailWishes{.grep = {"status=(200|503)|Completed"}})
    ->ArgNames({"readers", "single"})
    ->ArgsProduct({{1, 10, 1000}, {0, 1}});

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
