// Syslog drains against plain sockets that read, stall, close and reset.

#include <atomic>
#include <thread>

#include "tests/channels/slow_log.h"
#include "tests/drains/drain_fixture.h"
#include "tests/drains/syslog_far_end.h"

using namespace tailrace;
using namespace tailrace::testing;
using FarEnd = SyslogFarEnd;

TEST_CASE("everything arrives in order, and delivered means acknowledged") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 1000);
  const int fd = far_end.accept();
  std::string held;
  CHECK(read_messages(fd, 1000, held) == numbered(0, 1000));
  f.append(1000, 1);
  CHECK(read_messages(fd, 1, held) == numbered(1000, 1));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == 1001);
  CHECK(f.account(drain).status.state == DrainState::ok);
  CHECK(f.notices().empty());
  ::close(fd);
}

TEST_CASE("refused, then up: nothing is lost, the channel knows why and since when") {
  DrainFixture f;
  uint16_t port;
  {
    FarEnd gone;
    port = gone.port;
  }
  const DrainEntry drain = f.add("syslog://127.0.0.1:" + std::to_string(port));
  f.append(0, 10);
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
  CHECK(f.account(drain).status.cause ==
        "connect: connection refused (127.0.0.1:" + std::to_string(port) + ")");
  FarEnd far_end(port);
  f.append(10, 10);
  const int fd = far_end.accept();
  std::string held;
  CHECK(read_messages(fd, 20, held) == numbered(0, 20));
  REQUIRE(f.settled(drain));
  REQUIRE(eventually([&] { return f.notices().size() == 2; }));
  CHECK(f.notices()[0].find("failing since ") != std::string::npos);
  CHECK(f.notices()[1].ends_with(": 0 dropped, 20 delivered late"));
  ::close(fd);
}

TEST_CASE("a connection that breaks mid-stream costs nothing: what was not acknowledged comes again, whole") {
  DrainFixture f({.history = 10, .bytes = 64u << 20});
  FarEnd far_end(0, 4096);
  const DrainEntry drain = f.add(far_end.url());
  constexpr int kRecords = 20'000;
  for (int i = 0; i < kRecords; i += 100) f.append(i, 100, "m", 0);
  const int first = far_end.accept();
  std::string held;
  const auto before = read_messages(first, 500, held);
  reset(first);
  const int second = far_end.accept();
  std::string held_again;
  std::vector<std::string> after;
  size_t last = 0;
  do {
    const auto more = read_messages(second, 1, held_again);
    REQUIRE_FALSE(more.empty());
    after.insert(after.end(), more.begin(), more.end());
    last = std::stoul(after.back().substr(1));
  } while (last + 1 < kRecords);
  // In order and without a hole, from a record that the first connection may have had.
  const size_t start = std::stoul(after.front().substr(1));
  CHECK(start <= kRecords - after.size());
  CHECK(after == numbered(int(start), int(after.size())));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == kRecords);
  CHECK(f.account(drain).ledger.dropped_total() == 0);
  ::close(second);
}

TEST_CASE("one that does not read stalls nobody else; its losses are exact and told to it") {
  DrainFixture f({.history = 10, .bytes = 512 * 1024});
  FarEnd slow(0, 4096), quick;
  const DrainEntry slow_drain = f.add(slow.url()), quick_drain = f.add(quick.url());
  f.append(0, 1);
  const int slow_fd = slow.accept(), quick_fd = quick.accept();
  std::string held;
  constexpr int kRecords = 30'000;
  std::thread reader([&] { CHECK(read_messages(quick_fd, kRecords, held).size() == kRecords); });
  for (int i = 1; i < kRecords; i += 100) {
    f.append(i, std::min(100, kRecords - i), "m", 300);
    // As fast as the quick one goes, not faster.
    REQUIRE(eventually([&] { return f.account(quick_drain).ledger.buffered < 500; }));
  }
  reader.join();
  REQUIRE(f.settled(quick_drain));
  CHECK(f.account(quick_drain).ledger.dropped_total() == 0);
  const uint64_t dropped = f.account(slow_drain).ledger.dropped_total();
  CHECK(dropped > 0);
  CHECK(f.account(slow_drain).ledger.balanced());

  // Now it reads: what is left, and how much is not.
  std::string slow_held;
  uint64_t got = 0, told = 0;
  while (got + told < kRecords) {
    for (const std::string& m : read_messages(slow_fd, 1, slow_held)) {
      if (m.starts_with("Error L10"))
        told += std::stoul(m.substr(m.find("): ") + 3));
      else
        ++got;
    }
  }
  REQUIRE(f.settled(slow_drain));
  CHECK(got == f.account(slow_drain).ledger.delivered);
  CHECK(told == f.account(slow_drain).ledger.dropped_total());
  ::close(slow_fd);
  ::close(quick_fd);
}

TEST_CASE("a removed drain ends at once and leaves the others alone") {
  DrainFixture f;
  FarEnd far_end, other;
  const DrainEntry drain = f.add(far_end.url()), stays = f.add(other.url());
  f.append(0, 10);
  const int fd = far_end.accept(), other_fd = other.accept();
  REQUIRE(f.catalog.remove_drain("1", drain.id).has_value());
  std::string held;
  CHECK(read_messages(fd, 1'000'000, held).size() <= 10);  // until it closes
  f.append(10, 10);
  held.clear();
  CHECK(read_messages(other_fd, 20, held).size() == 20);
  REQUIRE(f.settled(stays));
  ::close(fd);
  ::close(other_fd);
}

TEST_CASE("what a disk brings bit by bit arrives in order, over connections that break as well") {
  testing::SlowDisk disk(1'000);
  DrainFixture f(std::make_unique<testing::SlowStore>(disk));
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 1000);
  int fd = far_end.accept();
  std::string held;
  CHECK(read_messages(fd, 1000, held) == numbered(0, 1000));
  REQUIRE(f.settled(drain));
  disk.hold(2);
  f.append(1000, 1000);
  REQUIRE(eventually([&] { return disk.holds_somebody(); }));
  ::close(fd);
  disk.release();
  fd = far_end.accept();
  held.clear();
  std::vector<std::string> rest;
  while (rest.empty() || rest.back() != "m1999")
    for (std::string& m : read_messages(fd, 1, held)) rest.push_back(std::move(m));
  const size_t from = std::stoul(rest.front().substr(1));
  CHECK(from >= 1000);
  CHECK(rest == numbered(int(from), int(2000 - from)));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == 2000);
  ::close(fd);
  disk.stop();
}

// ---- filters ---------------------------------------------------------------------------------------------

TEST_CASE("a filter: what is not wanted is never sent, is settled in its turn, and needs no connection") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url() + "?filter=w");
  f.append(0, 500, "n");
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.filtered == 500);
  CHECK_FALSE(far_end.wanted());
  CHECK(f.account(drain).status.state == DrainState::pending);
  std::vector<std::string> mixed, wanted;
  for (int i = 0; i < 1000; ++i) mixed.push_back((i % 3 ? "n" : "w") + std::to_string(i));
  for (const std::string& m : mixed)
    if (m[0] == 'w') wanted.push_back(m);
  append_messages(f.channel, mixed, wall_now());
  const int fd = far_end.accept();
  std::string held;
  CHECK(read_messages(fd, wanted.size(), held) == wanted);
  f.append(0, 100, "n");
  REQUIRE(f.settled(drain));
  CHECK(held.empty());
  const Ledger ledger = f.account(drain).ledger;
  CHECK(ledger.delivered == wanted.size());
  CHECK(ledger.filtered == 500 + 1000 - wanted.size() + 100);
  CHECK(f.account(drain).status.state == DrainState::ok);
  ::close(fd);
}

TEST_CASE("a filter on a connection that breaks: each record is settled once, in order and without a hole") {
  DrainFixture f({.history = 10, .bytes = 64u << 20});
  FarEnd far_end(0, 4096);
  const DrainEntry drain = f.add(far_end.url() + "?filter=w");
  constexpr int kRecords = 30'000;
  std::vector<std::string> wanted;
  for (int i = 0; i < kRecords; i += 100) {
    std::vector<std::string> batch;
    for (int n = i; n < i + 100; ++n) {
      batch.push_back((n % 7 ? "w" : "n") + std::to_string(n));
      if (n % 7) wanted.push_back(batch.back());
    }
    append_messages(f.channel, batch, wall_now());
  }
  int fd = far_end.accept();
  std::vector<std::string> got;
  for (int i = 0; i < 3; ++i) {
    std::string held;
    read_messages(fd, 300, held);
    reset(fd);
    fd = far_end.accept();
  }
  std::string held;
  while (got.empty() || got.back() != wanted.back()) {
    const auto more = read_messages(fd, 1, held);
    REQUIRE_FALSE(more.empty());
    got.insert(got.end(), more.begin(), more.end());
  }
  CHECK(got == std::vector<std::string>(wanted.end() - long(got.size()), wanted.end()));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == wanted.size());
  CHECK(f.account(drain).ledger.filtered == kRecords - wanted.size());
  ::close(fd);
}

TEST_CASE("format=rfc5424: the record as it was sent") {
  DrainFixture f;
  FarEnd far_end;
  f.add(far_end.url() + "?format=rfc5424");
  f.append(0, 1);
  const int fd = far_end.accept();
  char bytes[200];
  const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
  CHECK(std::string(bytes, size_t(std::max<ssize_t>(got, 0))) ==
        "48 <13>1 2026-11-21T00:00:00Z host app web.1 - - m0");
  ::close(fd);
}

// ---- connections that end --------------------------------------------------------------------------------

TEST_CASE("an idle connection is ended in order, and made again when there is something to send") {
  using namespace std::chrono_literals;
  SyslogLimits limits;
  limits.idle = 20ms;
  DrainFixture f(LogLimits(), limits);
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  for (int i = 0; i < 5; ++i) {
    f.append(i, 1);
    const int fd = far_end.accept();
    std::string held;
    CHECK(read_messages(fd, 2, held) == numbered(i, 1));  // until it ends
    CHECK(held.empty());
    ::close(fd);
  }
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == 5);
  CHECK(f.notices().empty());
}

TEST_CASE("a connection that is old is ended in order between two records, however busy it is") {
  using namespace std::chrono_literals;
  SyslogLimits limits;
  limits.age = 20ms;
  DrainFixture f({.history = 10, .bytes = 64u << 20}, limits);
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  std::atomic<int> appended{0};
  std::atomic<bool> enough{false};
  std::thread source([&] {
    while (!enough) {
      f.append(appended, 10);
      appended += 10;
      drip();
    }
  });
  std::vector<std::string> got;
  for (int connections = 0; connections < 5; ++connections) {
    const int fd = far_end.accept();
    std::string held;
    const auto more = read_messages(fd, 1'000'000, held);
    got.insert(got.end(), more.begin(), more.end());
    CHECK(held.empty());
    ::close(fd);
  }
  enough = true;
  source.join();
  CHECK(got == numbered(0, int(got.size())));  // each once: nothing was in flight
  CHECK(f.notices().empty());
  CHECK(f.account(drain).status.state == DrainState::ok);
}

TEST_CASE("a far end that hangs is not called well by its kernel's word, however often it is tried") {
  using namespace std::chrono_literals;
  SyslogLimits limits;
  limits.stalled = 100ms;
  DrainFixture f({.history = 10, .bytes = 64u << 20}, limits);
  FarEnd far_end(0, 4096);
  const DrainEntry drain = f.add(far_end.url());
  constexpr int kRecords = 60'000;
  for (int i = 0; i < kRecords; i += 100) f.append(i, 100, "m", 300);
  std::vector<int> hung;
  for (int i = 0; i < 3; ++i) hung.push_back(far_end.accept());  // and each has been acknowledged some
  CHECK(f.account(drain).status.state == DrainState::failing);
  CHECK(f.account(drain).status.cause == "no acknowledgement for 100ms");
  const uint64_t before = f.account(drain).ledger.delivered;
  CHECK(before > 0);
  CHECK(f.notices().size() == 1);
  const int fd = far_end.accept();
  for (const int old : hung) ::close(old);
  std::string held;
  std::string last;
  while (!last.starts_with("m" + std::to_string(kRecords - 1))) {
    const auto more = read_messages(fd, 1, held);
    REQUIRE_FALSE(more.empty());
    last = more.back();
  }
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::ok; }));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == kRecords);
  REQUIRE(eventually([&] { return f.notices().size() == 2; }));
  CHECK(f.notices()[1].find(": 0 dropped, ") != std::string::npos);
  ::close(fd);
}

TEST_CASE("its owner lets it rest: the connection ends, what was not acknowledged comes when it goes on") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 10);
  int fd = far_end.accept();
  std::string held;
  CHECK(read_messages(fd, 10, held) == numbered(0, 10));
  REQUIRE(f.settled(drain));
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
  CHECK(read_messages(fd, 1, held).empty());  // it ends
  ::close(fd);
  f.append(10, 10);
  CHECK(f.account(drain).ledger.buffered == 10);
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, false).has_value());
  fd = far_end.accept();
  CHECK(read_messages(fd, 10, held) == numbered(10, 10));
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == 20);
  ::close(fd);
}
