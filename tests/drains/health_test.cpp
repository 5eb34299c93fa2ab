#include "drains/health.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

constexpr Micros kStart = 1'700'000'000'000'000, kSecond = 1'000'000;

std::string at(Micros offset_seconds) {
  const int64_t s = 20 + offset_seconds;
  return "2023-11-14T22:" + std::to_string(13 + s / 60) + ":" + (s % 60 < 10 ? "0" : "") +
         std::to_string(s % 60) + ".000000+00:00";
}

}  // namespace

TEST_CASE("only changes of state are told, with their cause and true beginning") {
  DrainHealth health("d.1", kStart);
  CHECK(health.state() == DrainState::pending);
  health.delivered(kStart, 1, 0);
  CHECK_FALSE(health.settled(kStart, 1, 0));
  CHECK(health.state() == DrainState::ok);

  CHECK(health.failed(kStart + 2 * kSecond, kStart + kSecond, "connect: connection refused (10.0.0.9:514)",
                      7) == at(2) + " heroku[logplex]: drain 'd.1' failing since " + at(1) +
                                ": connect: connection refused (10.0.0.9:514)");
  CHECK_FALSE(health.failed(kStart + 4 * kSecond, 0, "no answer within 15s", 8));
  CHECK(health.cause() == "no answer within 15s");
  CHECK(health.since() == kStart + kSecond);

  health.delivered(kStart + 30 * kSecond, 10, 10);
  CHECK(health.state() == DrainState::ok);
  CHECK_FALSE(health.settled(kStart + 31 * kSecond, 4, 10));
  CHECK(health.settled(kStart + 32 * kSecond, 9, 10) ==
        at(32) + " heroku[logplex]: drain 'd.1' recovered after 29s: 3 dropped, 10 delivered late");
  CHECK_FALSE(health.settled(kStart + 33 * kSecond, 5, 10));
}

TEST_CASE("an outage that comes back before it was caught up with is one outage") {
  DrainHealth health("d.1", kStart);
  CHECK(health.failed(kStart + kSecond, 0, "x", 0));
  health.delivered(kStart + 10 * kSecond, 100, 0);
  CHECK_FALSE(health.settled(kStart + 10 * kSecond, 10, 0));
  CHECK(health.failed(kStart + 11 * kSecond, 0, "y", 0) ==
        at(11) + " heroku[logplex]: drain 'd.1' failing since " + at(1) + ": y");
  health.delivered(kStart + 20 * kSecond, 5, 0);
  CHECK(health.settled(kStart + 21 * kSecond, 5, 0) ==
        at(21) + " heroku[logplex]: drain 'd.1' recovered after 19s: 0 dropped, 5 delivered late");
}

TEST_CASE("what is lost while catching up is not waited for") {
  DrainHealth health("d.1", kStart);
  CHECK(health.failed(kStart, 0, "x", 0));
  health.delivered(kStart + kSecond, 100, 0);
  CHECK_FALSE(health.settled(kStart + kSecond, 50, 0));
  CHECK(health.settled(kStart + 2 * kSecond, 0, 50) ==
        at(2) + " heroku[logplex]: drain 'd.1' recovered after 1s: 50 dropped, 50 delivered late");
}

TEST_CASE("paused is told once and survives probes that fail otherwise") {
  DrainHealth health("d.1", kStart);
  CHECK(health.paused(kStart, "answered 410", 0) ==
        at(0) + " heroku[logplex]: drain 'd.1' paused since " + at(0) + ": answered 410");
  CHECK_FALSE(health.paused(kStart + kSecond, "answered 410", 0));
  CHECK_FALSE(health.failed(kStart + kSecond, 0, "connect: timed out", 0));
  CHECK(health.state() == DrainState::paused);
  health.delivered(kStart + 9 * kSecond, 1, 0);
  CHECK(health.settled(kStart + 9 * kSecond, 1, 0));
}
