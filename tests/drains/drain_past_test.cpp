// What drains that run tell of their past: whenever one looks, the sum is the account.

#include <httplib.h>

#include <thread>

#include "tests/drains/drain_fixture.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

/// Answers each POST with its status.
struct FarEnd {
  FarEnd() {
    server.Post(".*", [this](const httplib::Request&, httplib::Response& out) { out.status = status; });
    server.set_keep_alive_timeout(1);
    port = server.bind_to_any_port("127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    REQUIRE(eventually([&] { return server.is_running(); }));  // or stop() does nothing
  }
  ~FarEnd() {
    server.stop();
    thread.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/"; }

  std::atomic<int> status{204};
  int port = 0;

 private:
  httplib::Server server;
  std::thread thread;
};

DrainPoint total(const DrainPast& past) {
  DrainPoint sum;
  for (const auto* points : {&past.tens, &past.minutes})
    for (const DrainPoint& point : *points) sum.merge(point);
  return sum;
}

/// The past, whose sum must be the account of the same moment.
DrainPast checked(DrainFixture& f, const DrainEntry& drain) {
  auto past = f.drains.past(drain, wall_now());
  REQUIRE(past.has_value());
  const DrainPoint sum = total(*past);
  CHECK(sum.delivered == past->ledger.delivered);
  CHECK(sum.filtered == past->ledger.filtered);
  CHECK(sum.dropped == past->ledger.dropped);
  CHECK(past->ledger.balanced());
  return std::move(*past);
}

}  // namespace

TEST_CASE("while records flow, are filtered and dropped, the past adds up to the ledger") {
  LogLimits limits;
  limits.bytes = 64 << 10;
  DrainFixture f(limits);
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url(), R"({"filter":"-m7"})");
  std::atomic<bool> done{false};
  std::thread asks([&] {
    while (!done) (void)f.drains.past(drain, wall_now());
  });
  for (int i = 0; i < 300; ++i) {
    if (i == 100) far_end.status = 503;
    if (i == 250) {
      REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
      far_end.status = 204;
    }
    f.append(i * 20, 20, "m", 200);
    checked(f, drain);
    f.drains.look(wall_now());
  }
  CHECK(f.settled(drain));
  done = true;
  asks.join();
  const DrainPast past = checked(f, drain);
  const DrainPoint sum = total(past);
  const Ledger ledger = f.account(drain).ledger;
  CHECK(sum.delivered == ledger.delivered);
  CHECK(sum.filtered == ledger.filtered);
  CHECK(sum.dropped == ledger.dropped);
  CHECK(sum.filtered > 0);
  CHECK(sum.dropped[size_t(DropReason::overflow)] > 0);
  CHECK(sum.delivered > 0);
  CHECK(sum.state == DrainState::failing);
  CHECK(sum.buffered > 0);
  CHECK(sum.took.answers() == f.account(drain).history->answer_times(mono_now()).all_answers);
}

TEST_CASE("another far end and a replay go on with the same past") {
  DrainFixture f;
  FarEnd far_end, other;
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 10);
  REQUIRE(f.settled(drain));
  REQUIRE(f.drains.replay(drain, *f.channel->log->since(0)) == 10u);
  REQUIRE(eventually([&] { return f.account(drain).ledger.delivered == 20; }));
  CHECK(total(checked(f, drain)).delivered == 20);
  DrainChoice choice;
  REQUIRE(f.catalog.replace_drain("1", drain.id, other.url(), choice).has_value());
  f.append(10, 5);
  REQUIRE(eventually([&] { return f.account(drain).ledger.delivered == 25; }));
  const DrainPoint sum = total(checked(f, drain));
  CHECK(sum.delivered == 25);
  CHECK(sum.took.answers() == 3);
}

TEST_CASE("a drain that its owner pauses tells so, with what waits") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 1);
  REQUIRE(f.settled(drain));
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::paused; }));
  f.append(1, 7);
  const DrainPoint sum = total(checked(f, drain));
  CHECK(sum.state == DrainState::paused);
  CHECK(sum.buffered == 7);
  CHECK(sum.lag >= 0);
}

TEST_CASE("looks come once in ten seconds of the clock, and find what nobody told of") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  const Micros minute = DrainPast::kMinute, now = wall_now() / minute * minute + 10 * minute;
  f.drains.look(now);
  f.append(0, 3);
  REQUIRE(f.settled(drain));
  f.drains.look(now + 9'000'000);   // not yet
  f.drains.look(now + 70'000'000);  // in the middle between the two
  f.drains.look(now + 200'000'000);
  const auto past = f.drains.past(drain, now + 200'000'000);
  REQUIRE(past.has_value());
  CHECK(total(*past).delivered == 3);
  REQUIRE(past->minutes.size() == 2);
  CHECK(past->minutes[0].time == now);
  CHECK(past->minutes[0].delivered == 3);
  // That it is well now.
  CHECK(past->minutes[1].time == now + minute);
  CHECK(past->minutes[1].quiet());
}

TEST_CASE("a drain that does not run has no past") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  REQUIRE(f.catalog.remove_drain("1", drain.id).has_value());
  CHECK_FALSE(f.drains.past(drain, wall_now()).has_value());
}
