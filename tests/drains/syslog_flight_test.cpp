// What a syslog drain holds while its far end takes nothing, and how long it keeps its loop.

#include <atomic>
#include <boost/asio/post.hpp>
#include <thread>

#include "drains/syslog_drain.h"
#include "tests/drains/drain_fixture.h"
#include "tests/drains/syslog_far_end.h"

using namespace tailrace;
using namespace tailrace::testing;
using FarEnd = SyslogFarEnd;

namespace {

constexpr uint64_t kMiB = 1u << 20;
constexpr int kUnacknowledged =
    300;  // of 300 bytes: more than a small far end takes, less than our kernel does

/// A batch of about 64 KiB, the first of it with `prefix`.
void append_chunk(DrainFixture& f, const std::string& prefix) {
  std::vector<std::string> messages(60, std::string(1000, 'n'));
  messages[0] = prefix + "anted";
  append_messages(f.channel, messages, wall_now());
}

/// Until the drains have caught up, or wait for their far ends; gives how many records it took.
uint64_t let_read(DrainFixture& f) {
  uint64_t records = 0;
  do {
    REQUIRE(++records < 1'000'000);
    f.append(0, 1, "n");
  } while (f.channel->log->crowded());
  return records;
}

uint64_t used() {
  return chunk_memory().used;
}

}  // namespace

TEST_CASE("what a filter does not want pins nothing, however long nothing before it is acknowledged") {
  for (const std::string first : {"n", "w"}) {
    CAPTURE(first);
    DrainFixture f({.history = 10, .bytes = kMiB});
    FarEnd far_end(0, 4096);
    const DrainEntry drain = f.add(far_end.url() + "?filter=w");
    f.append(0, kUnacknowledged, "w", 300);
    const int fd = far_end.accept();
    const uint64_t before = used();
    uint64_t most = 0, further = 0;
    for (int i = 0; i < 1000; ++i) {
      append_chunk(f, first);
      f.notices();
      further += let_read(f);
      most = std::max(most, used());
    }
    CHECK(most < before + 4 * kMiB);
    // And then each is accounted for.
    std::string held;
    uint64_t got = 0;
    std::thread reader([&] {
      for (size_t more = 1; more; got += more) more = read_messages(fd, 1, held).size();
    });
    CHECK(f.settled(drain));
    const Ledger ledger = f.account(drain).ledger;
    REQUIRE(f.catalog.remove_drain("1", drain.id).has_value());
    reader.join();
    CHECK(ledger.delivered + ledger.filtered + ledger.dropped_total() == kUnacknowledged + 60'000 + further);
    CHECK(ledger.filtered == uint64_t(first == "n" ? 60'000 : 59'000) + further);
    CHECK(got >= ledger.delivered);  // and a loss, if there was one
    CHECK(got <= ledger.delivered + ledger.dropped_total());
    ::close(fd);
  }
}

TEST_CASE("a far end that takes nothing is not read for beyond a bound; when it takes again, all comes") {
  DrainFixture f({.history = 10, .bytes = kMiB});
  FarEnd far_end(0, 4096);
  const DrainEntry drain = f.add(far_end.url() + "?filter=w");
  f.append(0, kUnacknowledged, "w", 300);
  const int fd = far_end.accept();
  const uint64_t before = used();
  uint64_t most = 0, further = 0;
  // So many are wanted that copies gain little, and so few that the kernel has room for long.
  constexpr int kBatches = 500;
  std::vector<std::string> batch(300, std::string(100, 'n'));
  for (size_t i = 0; i < batch.size(); i += 10) batch[i] = "wanted";
  for (int i = 0; i < kBatches; ++i) {
    append_messages(f.channel, batch, wall_now());
    f.notices();
    further += let_read(f);
    most = std::max(most, used());
  }
  CHECK(most < before + 4 * kMiB);
  std::string held;
  uint64_t got = 0, told = 0;
  while (got + told + f.account(drain).ledger.filtered < kUnacknowledged + kBatches * 300 + further) {
    for (const std::string& m : read_messages(fd, 1, held)) {
      if (m.starts_with("Error L10"))
        told += std::stoul(m.substr(m.find("): ") + 3));
      else
        ++got;
    }
  }
  REQUIRE(f.settled(drain));
  CHECK(got == f.account(drain).ledger.delivered);
  CHECK(told == f.account(drain).ledger.dropped_total());
  ::close(fd);
}

TEST_CASE("over a back-off, a drain keeps of a chunk what it needs") {
  using namespace std::chrono_literals;
  SyslogLimits limits;
  limits.stalled = 200ms;
  DrainFixture f({.history = 10, .bytes = 64 * kMiB}, limits);
  FarEnd far_end(0, 4096);
  const uint64_t before = used();
  const DrainEntry drain = f.add(far_end.url() + "?filter=w");
  f.append(0, kUnacknowledged, "w", 300);
  for (int i = 0; i < 12; ++i) append_chunk(f, "w");
  const int fd = far_end.accept();
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
  f.notices();
  f.append(1000, 1, "n");
  f.notices();
  CHECK(used() < before + 400 * 1024);
  ::close(fd);
  const int again = far_end.accept();
  std::string held;
  size_t wanted = 0;
  while (wanted < 12)
    for (const std::string& m : read_messages(again, 1, held)) wanted += m == "wanted";
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == kUnacknowledged + 12);
  CHECK(f.account(drain).ledger.filtered == 12 * 59 + 1);
  ::close(again);
}

namespace {

/// Takes 100 us for each record.
struct SlowFilter final : RecordFilter {
  bool wants(const Record&) const override {
    ++judged;
    for (const Mono end = mono_now() + std::chrono::microseconds(100); mono_now() < end;) {
    }
    return every && judged % every == 0;
  }
  mutable std::atomic<uint64_t> judged{0};
  uint64_t every = 0;
};

/// How many records `filter` judges between two turns of others on its loop, at most.
struct Bystander {
  Bystander(Loop& its_loop, const SlowFilter& its_filter) : loop(its_loop), filter(its_filter) {}
  void look() {
    const uint64_t now = filter.judged;
    most = std::max(most.load(), now - last);
    last = now;
    if (!ended) boost::asio::post(loop.io, [this] { look(); });
  }
  Loop& loop;
  const SlowFilter& filter;
  uint64_t last = 0;
  std::atomic<uint64_t> most{0};
  std::atomic<bool> ended{false};
};

}  // namespace

TEST_CASE("a slow filter: others on the loop have their turn after a few records, connected or not") {
  for (const uint64_t every : {0, 50}) {
    CAPTURE(every);
    DrainFixture f({.history = 10, .bytes = 64 * kMiB});
    FarEnd far_end;
    const auto filter = std::make_shared<SlowFilter>();
    filter->every = every;
    DrainEntry entry;
    entry.id = 77;
    entry.token = "d.slow";
    entry.url = far_end.url();
    entry.channel = f.channel;
    JudgedTarget judged = judge_drain(entry.url, "", *AddressPolicy::parse("127.0.0.0/8", ""));
    REQUIRE(judged.error.empty());
    judged.options.wanted = filter;
    Loop& loop = f.loops[0];
    const auto drain = std::make_shared<SyslogDrain>(loop, entry, std::move(judged), f.drains.services());
    entry.start = f.channel->log->end();
    drain->attach(filter);
    constexpr uint64_t kRecords = 5000;
    for (int i = 0; i < int(kRecords); i += 1000) f.append(i, 1000, "m", 100);
    Bystander bystander(loop, *filter);
    boost::asio::post(loop.io, [&] {
      bystander.last = 0;
      boost::asio::post(loop.io, [&] { bystander.look(); });
      drain->start();
    });
    REQUIRE(eventually([&] { return filter->judged == kRecords; }));
    bystander.ended = true;
    const int fd = every ? far_end.accept() : -1;
    std::atomic<bool> stopped{false};
    boost::asio::post(loop.io, [&] {
      boost::asio::post(loop.io, [&] {
        drain->stop();
        stopped = true;
      });
    });
    REQUIRE(eventually([&] { return stopped.load(); }));
    // One slice, which is 16 KiB at most.
    CHECK(bystander.most <= 16 * 1024 / 160);
    if (fd >= 0) ::close(fd);
  }
}

TEST_CASE("its owner lets it rest under load: it is paused from then on, whatever was in flight") {
  DrainFixture f({.history = 10, .bytes = 64 * kMiB});
  FarEnd far_end(0, 16 * 1024);
  const DrainEntry drain = f.add(far_end.url());
  std::atomic<bool> enough{false};
  uint64_t appended = 0;
  std::thread source([&] {
    for (; !enough; appended += 100) {
      f.append(0, 100, "m", 200);
      while (!enough && f.account(drain).ledger.buffered > 20'000) std::this_thread::yield();
    }
  });
  for (int i = 0; i < 5; ++i) {
    const int fd = far_end.accept();
    std::thread reader([fd] {
      std::string held;
      while (!read_messages(fd, 1, held).empty()) {
      }
      ::close(fd);
    });
    REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::ok; }));
    REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
    reader.join();  // the connection has ended
    REQUIRE(eventually([&] { return f.account(drain).status.state != DrainState::ok; }));
    const auto account = f.account(drain);
    CHECK(account.status.state == DrainState::paused);
    CHECK(account.status.cause == "by its owner");
    CHECK(account.ledger.balanced());
    CHECK_FALSE(far_end.wanted());
    REQUIRE(f.catalog.set_drain_paused("1", drain.id, false).has_value());
  }
  enough = true;
  source.join();
  REQUIRE(eventually([&] { return f.notices().size() == 10; }));  // the last resumption is its loop's to tell
  const auto notices = f.notices();
  for (size_t i = 0; i < notices.size(); ++i)
    CHECK_MESSAGE(notices[i].find(i % 2 ? "' resumed after " : "' paused since ") != std::string::npos,
                  notices[i]);
}
