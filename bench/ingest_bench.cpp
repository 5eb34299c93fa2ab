// ns per record on the way in: framing, header, token; the other forms of records; MB/s of inflation.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <string>
#include <vector>

#include "channels/memory_catalog.h"
#include "channels/memory_store.h"
#include "ingest/frame_scanner.h"
#include "ingest/inflate.h"
#include "ingest/json_record.h"
#include "ingest/rfc3164.h"
#include "ingest/rfc5424.h"
#include "ingest/structured_data.h"
#include "ingest/token_cache.h"
#include "tests/ingest/compress.h"

namespace tailrace {
namespace {

constexpr Micros kNow = 1'795'247'154'000'000;
constexpr size_t kRecord = 289;  // a framed record's mean size in the end-to-end scenarios
constexpr size_t kRead = 64 * 1024;
const std::string kToken = "t.3f1c1f2e-0000-4000-8000-000000000001";

// A router line of `size` bytes; no two alike.
std::string router_line(size_t size, std::mt19937& random) {
  std::string line = fmt::format(
      "at=info method=GET path=\"/{}\" host=shop.example.com fwd=\"{}.{}.56.214\" dyno=web.{} connect={}ms "
      "service={}ms status=200 bytes={}",
      random() % 100000, random() % 256, random() % 256, random() % 20, random() % 3, random() % 1000,
      random() % 100000);
  line.resize(size, 'x');
  return line;
}

std::string frame(std::string_view sd, std::mt19937& random) {
  const std::string head = fmt::format("<158>1 2026-11-21T07:45:54.{:06}+00:00 host {} router - {}",
                                       random() % 1000000, kToken, sd);
  return head + router_line(kRecord - 4 - head.size(), random);
}

// A read full of octet-counted frames.
std::string octet_counted(std::string_view sd) {
  std::mt19937 random(1);
  std::string bytes;
  while (bytes.size() + kRecord <= kRead) {
    const std::string one = frame(sd, random);
    bytes += fmt::format("{} {}", one.size(), one);
  }
  return bytes;
}

std::vector<std::string> many(const auto& make) {
  std::mt19937 random(2);
  std::vector<std::string> all;
  for (int i = 0; i < 256; ++i) all.push_back(make(random));
  return all;
}

/// use(frame) for each frame of a read; ns per record are items_per_second's inverse.
template <class Use>
void each_frame(benchmark::State& state, const std::string& bytes, Use&& use) {
  StreamScanner scanner;
  int64_t records = 0;
  for (auto _ : state) {
    for (std::string_view left = bytes; !left.empty();) {
      const Scanned scanned = scanner.next(left);
      if (scanned.kind != Scanned::Kind::frame) std::abort();
      use(scanned.bytes);
      left.remove_prefix(scanned.consumed);
      ++records;
    }
  }
  state.SetItemsProcessed(records);
}

void framing(benchmark::State& state) {
  each_frame(state, octet_counted("- "), [](std::string_view f) { benchmark::DoNotOptimize(f); });
}
BENCHMARK(framing);

void framing_and_header(benchmark::State& state, std::string_view sd) {
  each_frame(state, octet_counted(sd), [](std::string_view f) {
    Syslog syslog;
    if (!parse_rfc5424(f, syslog)) std::abort();
    benchmark::DoNotOptimize(syslog);
  });
}
BENCHMARK_CAPTURE(framing_and_header, no_sd, "");
BENCHMARK_CAPTURE(framing_and_header, dash, "- ");
BENCHMARK_CAPTURE(framing_and_header, element, "[meta sequenceId=\"518\"] ");

void framing_header_and_token(benchmark::State& state, std::string_view sd) {
  MemoryStore store{{}};
  MemoryCatalog catalog{store, {.drains_per_channel = 6}};
  catalog.add_channel("shop").value();
  catalog.add_token("1", "app", {.id = kToken}).value();
  TokenCache tokens(catalog);
  each_frame(state, octet_counted(sd), [&](std::string_view f) {
    Syslog syslog;
    if (!parse_rfc5424(f, syslog)) std::abort();
    const SdTokens in_sd = find_tokens(syslog.sd);
    benchmark::DoNotOptimize(in_sd);
    if (!tokens.find(syslog.app)) std::abort();
  });
}
BENCHMARK_CAPTURE(framing_header_and_token, dash, "- ");
BENCHMARK_CAPTURE(framing_header_and_token, element, "[meta sequenceId=\"518\"] ");

void newline_framing(benchmark::State& state) {
  std::mt19937 random(1);
  std::string bytes;
  while (bytes.size() + kRecord <= kRead) bytes += frame("- ", random) + "\n";
  each_frame(state, bytes, [](std::string_view f) { benchmark::DoNotOptimize(f); });
}
BENCHMARK(newline_framing);

void without_token(benchmark::State& state) {
  const std::string sd = "[meta sequenceId=\"518\"][tailrace@32473 token=\"" + kToken + "\"]";
  Arena arena;
  for (auto _ : state) {
    if (find_tokens(sd).remove) benchmark::DoNotOptimize(without_tokens(sd, arena));
    arena.clear();
  }
}
BENCHMARK(without_token);

void rfc3164(benchmark::State& state, std::string_view head) {
  const auto frames = many(
      [&](std::mt19937& random) { return std::string(head) + router_line(kRecord - head.size(), random); });
  size_t i = 0;
  for (auto _ : state) {
    Bsd bsd;
    if (!parse_rfc3164(frames[i++ % frames.size()], kNow, bsd)) std::abort();
    benchmark::DoNotOptimize(bsd.message);
  }
}
BENCHMARK_CAPTURE(rfc3164, bsd, "<158>Nov 21 07:45:54 shop.example.com router[4711]: ");
BENCHMARK_CAPTURE(rfc3164, rfc3339, "<158>2026-11-21T07:45:54.123456+00:00 shop.example.com router[4711]: ");
BENCHMARK_CAPTURE(rfc3164, cisco, "<189>123: *Nov 21 07:45:54.123 UTC: %SYS-5-CONFIG_I: ");

void json_record(benchmark::State& state, std::string_view quote) {
  const auto lines = many([&](std::mt19937& random) {
    std::string message;
    for (const char c : router_line(180, random))
      message += c == '"' ? std::string(quote) : std::string(1, c);
    return R"({"time":"2026-11-21T07:45:54.123456+00:00","procid":"router","severity":"info","message":")" +
           message + "\"}";
  });
  Arena arena;
  size_t i = 0, bytes = 0;
  for (auto _ : state) {
    JsonRecord record;
    const std::string& line = lines[i++ % lines.size()];
    if (parse_json_record(line, arena, record) != JsonVerdict::ok) std::abort();
    benchmark::DoNotOptimize(record);
    bytes += line.size();
    if (i % 256 == 0) arena.clear();
  }
  state.SetBytesProcessed(int64_t(bytes));
}
BENCHMARK_CAPTURE(json_record, plain, "'");
BENCHMARK_CAPTURE(json_record, escaped, "\\\"");

// Bytes of text per second.
void inflation(benchmark::State& state, Inflater::Encoding encoding, size_t slice) {
  std::string text;
  for (int i = 0; text.size() < size_t(1) << 20; ++i) {
    std::mt19937 random{uint32_t(i)};
    text += frame("- ", random);
  }
  const std::string body = encoding == Inflater::Encoding::gzip ? gzip(text) : zstd(text);
  std::string out;
  for (auto _ : state) {
    Inflater inflater(encoding, body);
    out.clear();
    Inflater::Step step;
    do step = inflater.step(slice, out);
    while (step == Inflater::Step::more);
    if (step != Inflater::Step::done) std::abort();
  }
  state.SetBytesProcessed(int64_t(state.iterations() * text.size()));
  state.counters["ratio"] = double(text.size()) / double(body.size());
}
BENCHMARK_CAPTURE(inflation, gzip_64K, Inflater::Encoding::gzip, 64 << 10);
BENCHMARK_CAPTURE(inflation, gzip_256K, Inflater::Encoding::gzip, 256 << 10);
BENCHMARK_CAPTURE(inflation, zstd_64K, Inflater::Encoding::zstd, 64 << 10);
BENCHMARK_CAPTURE(inflation, zstd_256K, Inflater::Encoding::zstd, 256 << 10);

// What a body of 8 MiB costs at worst: members that hold nothing.
void empty_members(benchmark::State& state, Inflater::Encoding encoding) {
  const std::string member = encoding == Inflater::Encoding::gzip ? gzip("") : zstd("");
  std::string body, out;
  while (body.size() < size_t(8) << 20) body += member;
  for (auto _ : state) {
    Inflater inflater(encoding, body);
    while (inflater.step(64 << 10, out) == Inflater::Step::more) continue;
  }
  state.SetBytesProcessed(int64_t(state.iterations() * body.size()));
}
BENCHMARK_CAPTURE(empty_members, gzip, Inflater::Encoding::gzip)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(empty_members, zstd, Inflater::Encoding::zstd)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tailrace

BENCHMARK_MAIN();
