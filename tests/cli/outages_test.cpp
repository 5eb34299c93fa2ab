#include "cli/outages.h"

#include <doctest/doctest.h>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

std::string at(const std::optional<Outages>& outages, std::chrono::milliseconds when) {
  REQUIRE(outages);
  return to_string(outages->at(when));
}

}  // namespace

TEST_CASE("a behaviour and its text are the same thing") {
  for (const char* text : {"ok", "refuse", "close", "close=mid", "hang", "hang=answer", "status=503",
                           "status=200", "status=429/7s", "slow=2s", "slow=100ms", "drip", "bomb", "head",
                           "tls=expired", "tls=wrong-host", "tls=self-signed", "tls=stall", "tls=1.1"}) {
    CAPTURE(text);
    const auto how = parse_sink_behaviour(text);
    REQUIRE(how);
    CHECK(to_string(*how) == text);
    CHECK(parse_sink_behaviour(to_string(*how)) == how);
  }
  CHECK(to_string(*parse_sink_behaviour("status")) == "status=503");
  CHECK(to_string(*parse_sink_behaviour("slow")) == "slow=100ms");
  CHECK(to_string(*parse_sink_behaviour("status=429/7")) == "status=429/7s");
  CHECK(parse_sink_behaviour("status=429/2m")->retry_after == 120s);
  for (const char* bad : {"", "OK", "ok=1", "status=", "status=99", "status=600", "status=503/",
                          "status=503/0s", "status=503/500ms", "status=503/x", "slow=", "slow=x", "hang=1",
                          "close=", "tls", "tls=", "tls=1.2", "drip=2s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_sink_behaviour(bad));
  }
}

TEST_CASE("a schedule: each entry until the next") {
  const auto s = Outages::schedule("10s:status=503/7s, 25s:hang,40s:ok,1m:tls=1.1");
  CHECK(at(s, 0s) == "ok");
  CHECK(at(s, 9999ms) == "ok");
  CHECK(at(s, 10s) == "status=503/7s");
  CHECK(at(s, 24'999ms) == "status=503/7s");
  CHECK(at(s, 25s) == "hang");
  CHECK(at(s, 40s) == "ok");
  CHECK(at(s, 60s) == "tls=1.1");
  CHECK(at(s, 24h) == "tls=1.1");
  for (const char* bad :
       {"", "10s", "10:hang", "10s:", "10s:nonsense", "20s:hang,10s:ok", "10s:hang,10s:ok", ":hang"}) {
    CAPTURE(bad);
    CHECK_FALSE(Outages::schedule(bad));
  }
}

TEST_CASE("a schedule that begins again") {
  const auto s = Outages::schedule("5s:close,7s:ok", 10s);
  for (const auto round : {0s, 10s, 3600s}) {
    CHECK(at(s, round + 0s) == "ok");
    CHECK(at(s, round + 5s) == "close");
    CHECK(at(s, round + 7s) == "ok");
  }
  CHECK_FALSE(Outages::schedule("5s:close,10s:ok", 10s));
}

TEST_CASE("downtime as from and for how long") {
  const auto list = Outages::down("30s:500ms,10s:5s", *parse_sink_behaviour("hang"));
  CHECK(at(list, 9999ms) == "ok");
  CHECK(at(list, 10s) == "hang");
  CHECK(at(list, 15s) == "ok");
  CHECK(at(list, 30'400ms) == "hang");
  CHECK(at(list, 30'500ms) == "ok");
  const auto joined = Outages::down("10s:5s,12s:1s,14s:6s", *parse_sink_behaviour("hang"));
  for (const auto when : {10s, 13s, 15s, 19s}) CHECK(at(joined, when) == "hang");
  CHECK(at(joined, 20s) == "ok");
  for (const char* bad : {"", "10s", "10:5", "10s:", "x"}) CHECK_FALSE(Outages::down(bad, {}));
}

TEST_CASE("downtime at the end of each period") {
  const auto often = Outages::repeated(20s, 5s, *parse_sink_behaviour("refuse"));
  CHECK(at(often, 0s) == "ok");
  CHECK(at(often, 15s) == "refuse");
  CHECK(at(often, 20s) == "ok");
  CHECK(at(often, 39s) == "refuse");
  CHECK_FALSE(Outages::repeated(5s, 5s, {}));
  CHECK_FALSE(Outages::repeated(5s, 0s, {}));
}
