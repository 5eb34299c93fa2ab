#include "metrics/metrics.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "channels/batch.h"
#include "channels/memory_log.h"
#include "metrics/channel_families.h"
#include "tests/metrics/router_lines.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kNow = 1'700'000'000 * kSecond;

struct Ignored final : AppendWaiter {
  void appended(Result<Position>) override {}
};

// Channels with memory logs that a Metrics observes.
struct Fixture {
  ChannelPtr channel(uint32_t index, std::string id) {
    auto c = std::make_shared<Channel>();
    c->index = index;
    c->id = std::move(id);
    c->log = std::make_unique<MemoryLog>(*c, LogLimits{}, Position{1000}, &metrics, pressure);
    return c;
  }

  static void append(const ChannelPtr& channel, std::string_view app, std::string_view procid,
                     const std::vector<std::string_view>& messages, Micros at = kNow, uint8_t flags = 0) {
    const std::string ids = std::string(procid) + " -";
    BatchSet set;
    for (const auto message : messages) {
      NewRecord r;
      r.head = "2026-11-21T00:00:00Z host";
      r.time_size = 20;
      r.app = app;
      r.ids = ids;
      r.procid_size = static_cast<uint16_t>(procid.size());
      r.message = message;
      r.pri = 158;
      r.flags = flags;
      set.add(channel, r);
    }
    Ignored waiter;
    set.for_each(at, [&](Channel& c, const Batch& batch) { c.log->append(batch, waiter); });
  }
  static void route(const ChannelPtr& channel, const std::vector<std::string_view>& messages,
                    Micros at = kNow) {
    append(channel, "heroku", "router", messages, at);
  }

  std::string scrape(ExpositionFormat format, Micros now = kNow) {
    std::string text;
    ExpositionWriter out(format, [&](std::string_view part) { text += part; });
    write_channel_families(out, metrics.snapshots(now));
    out.finish();
    return text;
  }

  Metrics metrics;
  MemoryPressure pressure{1u << 30, [] {}};
};

std::vector<std::string_view> lines_of(const std::string& text, std::string_view beginning) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const auto line = std::string_view(text).substr(at, end - at);
    if (line.starts_with(beginning)) lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

using Lines = std::vector<std::string_view>;

}  // namespace

TEST_CASE("router lines become the contract's families") {
  Fixture f;
  const auto shop = f.channel(0, "1");
  Fixture::route(shop,
                 {"at=info method=GET path=\"/\" dyno=web.1 connect=1ms service=8ms status=200 bytes=100",
                  "at=info method=GET path=\"/\" dyno=web.1 connect=0ms service=2s status=201 bytes=50",
                  "at=error code=H12 desc=\"Request timeout\" connect= service=30000ms status=503 bytes=0",
                  "GET host/ dyno=web.1 queue=3 wait=4ms service=8ms bytes=16"});
  Fixture::append(shop, "heroku", "web.1",
                  {"Error R14 (Memory quota exceeded)", "Error R14_", "x Error R15 (no)"});
  Fixture::append(shop, "heroku", "logplex",
                  {"Error L10 (output buffer overflow): 500 messages dropped since T."});
  // Anyone can print these.
  Fixture::append(shop, "app", "web.1", {"Error R14 (Memory quota exceeded)", "status=500 service=9ms"});
  Fixture::append(shop, "app", "router", {"at=info service=9ms status=500"});

  const std::string text = f.scrape(ExpositionFormat::prometheus_text);
  CHECK(lines_of(text, "tailrace_channel_records_total") ==
        Lines{"tailrace_channel_records_total{channel=\"1\"} 11"});
  CHECK(lines_of(text, "tailrace_router_requests_total") ==
        Lines{"tailrace_router_requests_total{channel=\"1\",status=\"200\"} 1",
              "tailrace_router_requests_total{channel=\"1\",status=\"201\"} 1",
              "tailrace_router_requests_total{channel=\"1\",status=\"503\"} 1",
              "tailrace_router_requests_total{channel=\"1\",status=\"none\"} 1"});
  CHECK(lines_of(text, "tailrace_router_errors_total") ==
        Lines{"tailrace_router_errors_total{channel=\"1\",code=\"H12\"} 1"});
  CHECK(lines_of(text, "tailrace_platform_errors_total") ==
        Lines{"tailrace_platform_errors_total{channel=\"1\",code=\"R14\"} 1",
              "tailrace_platform_errors_total{channel=\"1\",code=\"L10\"} 1"});
  CHECK(lines_of(text, "tailrace_router_response_bytes_total") ==
        Lines{"tailrace_router_response_bytes_total{channel=\"1\"} 166"});
  CHECK(lines_of(text, "tailrace_router_service_seconds") ==
        Lines{"tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.001\"} 0",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.002\"} 0",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.005\"} 0",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.01\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.025\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.05\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.1\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.25\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"0.5\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"1\"} 2",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"2.5\"} 3",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"5\"} 3",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"10\"} 3",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"30\"} 4",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"60\"} 4",
              "tailrace_router_service_seconds_bucket{channel=\"1\",le=\"+Inf\"} 4",
              "tailrace_router_service_seconds_sum{channel=\"1\"} 32.016",
              "tailrace_router_service_seconds_count{channel=\"1\"} 4"});
  const Lines summary = lines_of(text, "tailrace_router_service_quantile_seconds");
  REQUIRE(summary.size() == 6);
  CHECK(summary[0].starts_with(
      "tailrace_router_service_quantile_seconds{channel=\"1\",quantile=\"0.5\"} 0.008"));
  CHECK(summary[3] == "tailrace_router_service_quantile_seconds{channel=\"1\",quantile=\"1\"} 30");
  CHECK(summary[4] == "tailrace_router_service_quantile_seconds_sum{channel=\"1\"} 32.016");
  CHECK(summary[5] == "tailrace_router_service_quantile_seconds_count{channel=\"1\"} 4");
  // An empty value is absent, not 1.
  CHECK(lines_of(text, "tailrace_router_connect_seconds_count").front().ends_with(" 2"));
  CHECK(lines_of(text, "tailrace_router_wait_seconds_sum").front().ends_with(" 0.004"));
  CHECK(lines_of(text, "tailrace_router_queue_depth_bucket{channel=\"1\",le=\"2\"}").front().ends_with(" 0"));
  CHECK(lines_of(text, "tailrace_router_queue_depth_bucket{channel=\"1\",le=\"5\"}").front().ends_with(" 1"));
}

TEST_CASE("a family without an observation is left out") {
  Fixture f;
  const auto quiet = f.channel(0, "7");
  CHECK(f.scrape(ExpositionFormat::prometheus_text).empty());
  CHECK(f.scrape(ExpositionFormat::openmetrics) == "# EOF\n");
  Fixture::append(quiet, "app", "web.1", {"hello"});
  const uint64_t bytes = f.metrics.snapshot(0, kNow)->bytes;
  CHECK(bytes == std::string_view("<158>1 2026-11-21T00:00:00Z host app web.1 - - hello").size());
  CHECK(f.scrape(ExpositionFormat::prometheus_text) ==
        "# HELP tailrace_channel_records_total Records accepted.\n"
        "# TYPE tailrace_channel_records_total counter\n"
        "tailrace_channel_records_total{channel=\"7\"} 1\n"
        "# HELP tailrace_channel_bytes_total Bytes of the accepted records' text.\n"
        "# TYPE tailrace_channel_bytes_total counter\n"
        "tailrace_channel_bytes_total{channel=\"7\"} " +
            std::to_string(bytes) + "\n");
}

TEST_CASE("every known line, once") {
  Fixture f;
  const auto shop = f.channel(3, "shop");
  uint64_t with_service = 0, none = 0, lines = 0;
  double bytes = 0, service = 0;
  for (const auto& known : kRouterLines) {
    Fixture::route(shop, {known.message});
    ++lines;
    none += known.status == 0;
    if (known.service != kAbsent) {
      ++with_service;
      service += known.service;
    }
    if (known.bytes != kAbsent) bytes += known.bytes;
  }
  const auto s = f.metrics.snapshot(3, kNow);
  REQUIRE(s);
  CHECK(s->records == lines);
  CHECK(s->router.without_status == none);
  uint64_t requests = none;
  s->router.requests.for_each([&](size_t, uint64_t count) { requests += count; });
  CHECK(requests == lines);
  CHECK(s->router.timings[0].count == with_service);
  CHECK(s->router.timings[0].sum.value() == doctest::Approx(service));
  CHECK(s->router.bytes == bytes);
  CHECK(s->quantiles[0][3] == 80);
}

TEST_CASE("quantiles cover the last 60 s by arrival, sum and count all") {
  Fixture f;
  const auto shop = f.channel(0, "1");
  Fixture::route(shop, {"service=9s"}, kNow);
  Fixture::route(shop, {"service=10ms"}, kNow + 30 * kSecond);
  CHECK(f.metrics.snapshot(0, kNow + 30 * kSecond)->quantiles[0][3] == 9);
  CHECK(f.metrics.snapshot(0, kNow + 61 * kSecond)->quantiles[0][3] == 0.01);
  const auto later = f.metrics.snapshot(0, kNow + 600 * kSecond);
  CHECK(std::isnan(later->quantiles[0][0]));
  CHECK(later->router.timings[0].count == 2);
  CHECK(later->router.timings[0].sum.value() == doctest::Approx(9.01));
  CHECK(lines_of(f.scrape(ExpositionFormat::prometheus_text, kNow + 600 * kSecond),
                 "tailrace_router_service_quantile_seconds{")
            .front()
            .ends_with(" NaN"));
}

TEST_CASE("a later piece of a split record is no further request") {
  Fixture f;
  const auto shop = f.channel(0, "1");
  Fixture::append(shop, "heroku", "router", {"at=info status=200 path=/aaa"});
  Fixture::append(shop, "heroku", "router", {"aaa service=8ms"}, kNow, kSplitEntry);
  const auto s = f.metrics.snapshot(0, kNow);
  CHECK(s->records == 2);
  CHECK(s->router.without_status == 0);
  CHECK(s->router.timings[0].count == 0);
}

TEST_CASE("channels stand in the order of their ids, and vanish when they are removed") {
  Fixture f;
  std::vector<ChannelPtr> channels;
  for (const char* id : {"10", "2", "b\"ad", "1"}) {
    channels.push_back(f.channel(static_cast<uint32_t>(channels.size()) * 64, id));  // all of one stripe
    Fixture::route(channels.back(), {"status=200"});
  }
  CHECK(lines_of(f.scrape(ExpositionFormat::openmetrics), "tailrace_router_requests_total") ==
        Lines{"tailrace_router_requests_total{channel=\"1\",status=\"200\"} 1",
              "tailrace_router_requests_total{channel=\"2\",status=\"200\"} 1",
              "tailrace_router_requests_total{channel=\"10\",status=\"200\"} 1",
              "tailrace_router_requests_total{channel=\"b\\\"ad\",status=\"200\"} 1"});

  channels[1]->removed = true;
  f.metrics.forget(*channels[1]);
  CHECK_FALSE(f.metrics.snapshot(64, kNow));
  f.metrics.appended(*channels[1], {});  // a batch that was under way
  CHECK_FALSE(f.metrics.snapshot(64, kNow));
  CHECK(lines_of(f.scrape(ExpositionFormat::openmetrics), "tailrace_channel_records_total").size() == 3);
  CHECK_FALSE(f.metrics.snapshot(12345, kNow));
}

TEST_CASE("two threads append while a third scrapes and a channel goes") {
  Fixture f;
  constexpr int kBatches = 2000;
  const std::vector<ChannelPtr> channels = {f.channel(0, "1"), f.channel(1, "2"), f.channel(65, "3")};
  const auto going = f.channel(2, "9");
  std::atomic<int> running{2};
  const auto work = [&](int thread) {
    for (int i = 0; i < kBatches; ++i) {
      const auto& channel = channels[static_cast<size_t>(i) % channels.size()];
      Fixture::route(channel,
                     {"connect=1ms service=8ms status=200 bytes=1", "code=H12 service=30s status=503"},
                     kNow + i * kSecond / 100);
      if (i < kBatches / 2 || thread == 0) Fixture::route(going, {"status=200"});
    }
    --running;
  };
  std::thread first(work, 0), second(work, 1);
  uint64_t seen = 0;
  for (int scrapes = 0; running > 0 || scrapes < 3; ++scrapes) {
    uint64_t records = 0;
    for (const auto& s : f.metrics.snapshots(kNow + 20 * kSecond))
      if (s.id != "9") records += s.records;
    CHECK(records >= seen);
    seen = records;
    if (scrapes == 2) {
      going->removed = true;
      f.metrics.forget(*going);
    }
  }
  first.join();
  second.join();
  CHECK_FALSE(f.metrics.snapshot(2, kNow));
  uint64_t requests = 0, errors = 0, window = 0;
  for (const auto& s : f.metrics.snapshots(kNow + 20 * kSecond)) {
    requests += s.router.requests[100] + s.router.requests[403];
    errors += s.router.errors[12];
    window += s.quantiles[0][3] == 30;
  }
  CHECK(requests == 2 * 2 * kBatches);
  CHECK(errors == 2 * kBatches);
  CHECK(window == 3);
}

TEST_CASE("sums do not drift") {
  ExactSum one, other;
  for (int i = 0; i < 1'000'000; ++i) (i % 3 ? one : other).add(0.001 * (i % 7));
  one.merge(other);
  CHECK(one.value() == doctest::Approx(2999.997).epsilon(1e-15));
}

TEST_CASE("several threads' shares come together, in several Metrics at once") {
  Fixture a, b;
  const auto in_a = a.channel(0, "1"), in_b = b.channel(0, "1");
  for (int t = 0; t < 4; ++t)
    std::thread([&] {
      Fixture::route(in_a, {"service=1ms"});
      Fixture::route(in_b, {"service=2ms", "service=3ms"});
      Fixture::route(in_a, {"service=4ms"});
    }).join();
  CHECK(a.metrics.snapshot(0, kNow)->router.timings[0].count == 8);
  CHECK(b.metrics.snapshot(0, kNow)->router.timings[0].count == 8);
  CHECK(a.metrics.snapshot(0, kNow)->quantiles[0][0] == doctest::Approx(0.001).epsilon(0.01));
  CHECK(a.metrics.snapshot(0, kNow)->quantiles[0][3] == 0.004);
}

TEST_CASE("series keep their names in windows, however long nobody takes these") {
  Fixture f;
  const ChannelPtr shop = f.channel(1, "1");
  constexpr Micros kHour = 3600 * kSecond;
  Fixture::append(shop, "heroku", "web.1", {"sample#memory_total=1MB"});
  for (int hours = 1; hours <= 60; hours += 10) {
    f.metrics.tick(kNow + hours * kHour);
    (void)f.metrics.snapshots(kNow + hours * kHour);
  }
  Fixture::append(shop, "heroku", "web.1", {"sample#memory_total=2MB"}, kNow + 60 * kHour);
  const RollupDelta delta = f.metrics.take(1);
  REQUIRE(delta.windows.size() == 2);
  for (const auto& [span, cells] : delta.windows) {
    REQUIRE(cells.size() == 1);
    CHECK(cells.begin()->first.name == "dyno.memory.total");
    CHECK(cells.begin()->first.source == "web.1");
  }
}
