// Syslog drains against plain sockets that read, stall, close and reset.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/channels/slow_log.h"
#include "tests/drains/drain_fixture.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

/// A listening socket on loopback; accepts when told to.
class FarEnd {
 public:
  explicit FarEnd(uint16_t wanted = 0, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (receive_buffer) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(wanted);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
  }
  ~FarEnd() { ::close(fd_); }
  int accept() { return ::accept(fd_, nullptr, nullptr); }
  std::string url() const { return "syslog://127.0.0.1:" + std::to_string(port); }
  uint16_t port;

 private:
  int fd_;
};

/// Reads frames until `n` messages are there; the whole message each.
std::vector<std::string> read_messages(int fd, size_t n, std::string& held) {
  std::vector<std::string> all;
  char bytes[65536];
  for (;;) {
    for (;;) {
      const size_t blank = held.find(' ');
      if (blank == held.npos) break;
      const size_t size = std::stoul(held.substr(0, blank));
      if (held.size() < blank + 1 + size) break;
      const std::string frame = held.substr(blank + 1, size);
      held.erase(0, blank + 1 + size);
      CHECK(frame.ends_with('\n'));
      size_t at = 0;
      for (int i = 0; i < 7; ++i) at = frame.find(' ', at) + 1;
      all.push_back(frame.substr(at, frame.size() - at - 1));
    }
    if (all.size() >= n) return all;
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) return all;
    held.append(bytes, size_t(got));
  }
}

void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

}  // namespace

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
