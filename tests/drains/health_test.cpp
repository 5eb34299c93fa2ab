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

/// A drain's account, step by step.
struct Account {
  void waits(uint64_t records) { ledger.accepted += records, ledger.buffered += records; }
  void ends(uint64_t delivered, uint64_t filtered = 0, uint64_t dropped = 0) {
    ledger.delivered += delivered, ledger.filtered += filtered, ledger.dropped[0] += dropped;
    ledger.buffered -= delivered + filtered + dropped;
    REQUIRE(ledger.balanced());
  }
  operator const Ledger&() const { return ledger; }
  Ledger ledger;
};

}  // namespace

TEST_CASE("only changes of state are told, with their cause and true beginning") {
  DrainHealth health("d.1", kStart);
  Account account;
  CHECK(health.state() == DrainState::pending);
  account.waits(1);
  health.delivered(kStart, account);
  account.ends(1);
  CHECK_FALSE(health.settled(kStart, account));
  CHECK(health.state() == DrainState::ok);

  account.waits(17);
  account.ends(0, 0, 7);
  CHECK(health.failed(kStart + 2 * kSecond, kStart + kSecond, "connect: connection refused (10.0.0.9:514)",
                      7) == at(2) + " heroku[logplex]: drain 'd.1' failing since " + at(1) +
                                ": connect: connection refused (10.0.0.9:514)");
  CHECK_FALSE(health.failed(kStart + 4 * kSecond, 0, "no answer within 15s", 8));
  CHECK(health.cause() == "no answer within 15s");
  CHECK(health.since() == kStart + kSecond);

  account.waits(3);
  account.ends(0, 0, 3);
  health.delivered(kStart + 30 * kSecond, account);
  CHECK(health.state() == DrainState::ok);
  account.ends(4);
  CHECK_FALSE(health.settled(kStart + 31 * kSecond, account));
  account.waits(5);
  account.ends(9);  // three that are new came along
  CHECK(health.settled(kStart + 32 * kSecond, account) ==
        at(32) + " heroku[logplex]: drain 'd.1' recovered after 29s: 3 dropped, 10 delivered late");
  account.ends(2);
  CHECK_FALSE(health.settled(kStart + 33 * kSecond, account));
}

TEST_CASE("an outage that comes back before it was caught up with is one outage") {
  DrainHealth health("d.1", kStart);
  Account account;
  account.waits(15);
  CHECK(health.failed(kStart + kSecond, 0, "x", 0));
  health.delivered(kStart + 10 * kSecond, account);
  account.ends(10);
  CHECK_FALSE(health.settled(kStart + 10 * kSecond, account));
  CHECK(health.failed(kStart + 11 * kSecond, 0, "y", 0) ==
        at(11) + " heroku[logplex]: drain 'd.1' failing since " + at(1) + ": y");
  health.delivered(kStart + 20 * kSecond, account);
  account.ends(5);
  CHECK(health.settled(kStart + 21 * kSecond, account) ==
        at(21) + " heroku[logplex]: drain 'd.1' recovered after 19s: 0 dropped, 5 delivered late");
}

TEST_CASE("what is lost or filtered while catching up is not waited for, and not called late") {
  DrainHealth health("d.1", kStart);
  Account account;
  account.waits(100);
  CHECK(health.failed(kStart, 0, "x", 0));
  health.delivered(kStart + kSecond, account);
  account.ends(30, 20);
  CHECK_FALSE(health.settled(kStart + kSecond, account));
  account.waits(1000);
  account.ends(0, 10, 40);
  CHECK(health.settled(kStart + 2 * kSecond, account) ==
        at(2) + " heroku[logplex]: drain 'd.1' recovered after 1s: 40 dropped, 30 delivered late");
}

TEST_CASE("paused is told once and survives probes that fail otherwise") {
  DrainHealth health("d.1", kStart);
  Account account;
  account.waits(1);
  CHECK(health.paused(kStart, "answered 410", 0) ==
        at(0) + " heroku[logplex]: drain 'd.1' paused since " + at(0) + ": answered 410");
  CHECK_FALSE(health.paused(kStart + kSecond, "answered 410", 0));
  CHECK_FALSE(health.failed(kStart + kSecond, 0, "connect: timed out", 0));
  CHECK(health.state() == DrainState::paused);
  health.delivered(kStart + 9 * kSecond, account);
  account.ends(1);
  CHECK(health.settled(kStart + 9 * kSecond, account));
}

TEST_CASE("an owner's pause has its own beginning, whatever was the matter before") {
  DrainHealth health("d.1", kStart);
  CHECK(health.paused(kStart, "answered 401", 0));
  CHECK(health.held(kStart + 5 * kSecond, kStart + 4 * kSecond, 0) ==
        at(5) + " heroku[logplex]: drain 'd.1' paused since " + at(4) + ": by its owner");
  CHECK(health.resumed(kStart + 10 * kSecond, 3) ==
        at(10) + " heroku[logplex]: drain 'd.1' resumed after 6s: 3 waiting");
  CHECK(health.state() == DrainState::pending);
  CHECK_FALSE(health.resumed(kStart + 11 * kSecond, 3));
}
