#include "metrics/channel_recent.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "channels/batch.h"
#include "channels/memory_log.h"
#include "metrics/metrics.h"

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kNow = 1'700'000'000 * kSecond;

struct Ignored final : AppendWaiter {
  void appended(Result<Position>) override {}
};

struct Fixture {
  explicit Fixture(MetricsOptions options = {}) : metrics(options) {}

  ChannelPtr channel(uint32_t index) {
    auto c = std::make_shared<Channel>();
    c->index = index;
    c->id = std::to_string(index + 1);
    c->log = std::make_unique<MemoryLog>(*c, LogLimits{}, Position{1000}, &metrics, pressure);
    return c;
  }

  static void append(const ChannelPtr& channel, std::string_view app, std::string_view procid,
                     const std::vector<std::string>& messages, Micros at) {
    const std::string ids = std::string(procid) + " -";
    BatchSet set;
    for (const std::string& message : messages) {
      NewRecord r;
      r.head = "2023-11-14T22:13:20Z host";
      r.time_size = 20;
      r.app = app;
      r.ids = ids;
      r.procid_size = static_cast<uint16_t>(procid.size());
      r.message = message;
      r.pri = 158;
      set.add(channel, r);
    }
    Ignored waiter;
    set.for_each(at, [&](Channel& c, const Batch& batch) { c.log->append(batch, waiter); });
  }
  static std::string line(const std::string& dyno, int milliseconds, const std::string& status = "200") {
    return "at=info method=GET path=\"/\" dyno=" + dyno +
           " connect=1ms service=" + std::to_string(milliseconds) + "ms" +
           (status.empty() ? "" : " status=" + status) + " bytes=1";
  }

  Metrics metrics;
  MemoryPressure pressure{1u << 30, [] {}};
};

}  // namespace

TEST_CASE("the last 60 s of all channels are what their snapshots say") {
  Fixture f;
  std::vector<ChannelPtr> channels;
  for (uint32_t i = 0; i < 70; ++i) channels.push_back(f.channel(i));  // more than there are stripes
  const auto send = [&](unsigned seed) {
    std::mt19937 random(seed);
    for (int second = 0; second < 100; ++second)
      for (const ChannelPtr& channel : channels) {
        if (random() % 4 || channel->index % 7 == 3) continue;
        const Micros at = kNow + second * kSecond;
        Fixture::append(channel, "app", "web.1", {"hello", "there"}, at);
        if (channel->index % 3)
          Fixture::append(channel, "heroku", "router",
                          {Fixture::line("web.1", static_cast<int>(random() % 3000),
                                         std::to_string(200 + 100 * (random() % 4)))},
                          at);
      }
  };
  std::thread other([&] { send(1); });
  send(2);
  other.join();

  const Micros now = kNow + 100 * kSecond;
  const auto recent = f.metrics.recent(now);
  CHECK(recent.size() == 60);
  for (const ChannelRecent& one : recent) {
    const auto snapshot = f.metrics.snapshot(one.index, now);
    REQUIRE(snapshot);
    const auto& service = snapshot->quantiles[static_cast<size_t>(Timing::service)];
    if (one.index % 3 == 0) {
      CHECK(one.requests == 0);
      CHECK(one.requests_per_second == 0);
      CHECK(std::isnan(one.p95));
    } else {
      CHECK(one.requests_per_second == doctest::Approx(snapshot->queueing.rate));
      CHECK(one.timed == one.requests);
      CHECK(one.p50 == service[0]);
      CHECK(one.p95 == service[1]);
      CHECK(one.p99 == service[2]);
    }
    CHECK(one.records_per_second > 0);
  }
  for (const ChannelRecent& one : f.metrics.recent(now + 60 * kSecond)) {
    CHECK(one.records_per_second == 0);
    CHECK(one.requests == 0);
    CHECK(std::isnan(one.p50));
  }
  f.metrics.forget(*channels[0]);
  CHECK(f.metrics.recent(now).size() == 59);
  CHECK(f.metrics.recent(now).front().index == 1);
}

TEST_CASE("requests that failed: 5xx, and no status") {
  Fixture f;
  const ChannelPtr shop = f.channel(0);
  Fixture::append(
      shop, "heroku", "router",
      {Fixture::line("web.1", 5, "200"), Fixture::line("web.1", 5, "499"), Fixture::line("web.1", 5, "500"),
       Fixture::line("web.1", 5, "599"), Fixture::line("web.1", 5, ""), "at=error code=H12"},
      kNow);
  Fixture::append(shop, "app", "web.1", {"status=500 service=5ms"}, kNow);
  const auto recent = f.metrics.recent(kNow);
  REQUIRE(recent.size() == 1);
  CHECK(recent[0].requests == 6);
  CHECK(recent[0].failed == 4);
  CHECK(recent[0].timed == 5);
  CHECK(recent[0].requests_per_second == 1.5);
  CHECK(recent[0].records_per_second == 1.75);
}

TEST_CASE("the slowest dynos, where dynos have series") {
  Fixture f({.by_dyno = true});
  const ChannelPtr shop = f.channel(5);
  const auto send = [&](const std::string& dyno, int milliseconds, Micros at) {
    Fixture::append(shop, "heroku", "router", std::vector<std::string>(20, Fixture::line(dyno, milliseconds)),
                    at);
  };
  send("web.1", 900, kNow);
  send("web.2", 2000, kNow);
  send("web.3", 5000, kNow);
  send("web.9", 9000, kNow - 70 * kSecond);
  std::thread([&] { send("web.4", 3000, kNow); }).join();
  const auto slowest = f.metrics.slowest_dynos(5, 1, 2, kNow);
  REQUIRE(slowest.size() == 2);
  CHECK(slowest[0].dyno == "web.3");
  CHECK(slowest[0].p95 == doctest::Approx(5).epsilon(0.01));
  CHECK(slowest[1].dyno == "web.4");
  CHECK(f.metrics.slowest_dynos(5, 1, 9, kNow).size() == 3);
  CHECK(f.metrics.slowest_dynos(5, 6, 9, kNow).empty());
  CHECK(f.metrics.slowest_dynos(5, 1, 9, kNow + 60 * kSecond).empty());
  CHECK(f.metrics.slowest_dynos(6, 1, 9, kNow).empty());

  Fixture without;
  const ChannelPtr plain = without.channel(0);
  Fixture::append(plain, "heroku", "router", {Fixture::line("web.1", 5000)}, kNow);
  CHECK(without.metrics.slowest_dynos(0, 1, 9, kNow).empty());
}
