// HTTP drains against cpp-httplib's server, so that Beast does not test Beast.

#include <httplib.h>

#include <mutex>

#include "tests/channels/slow_log.h"
#include "tests/drains/drain_fixture.h"

using namespace tailrace;
using tailrace::testing::eventually;

namespace {

struct Request {
  std::string target, body;
  httplib::Headers headers;
  std::string get(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// Answers as told and remembers everything.
class FarEnd {
 public:
  using Judge = std::function<int(const Request&, httplib::Response&)>;
  explicit FarEnd(Judge judge = [](const Request&, httplib::Response&) { return 204; })
      : judge_(std::move(judge)) {
    server_.Post(".*", [this](const httplib::Request& in, httplib::Response& out) {
      const Request request{in.target, in.body, in.headers};
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      out.status = judge_(request, out);
    });
    server_.set_keep_alive_timeout(1);  // its end waits for idle connections
    port = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~FarEnd() {
    server_.stop();
    thread_.join();
  }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int port = 0;

 private:
  Judge judge_;
  httplib::Server server_;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

/// The messages of a logplex-1 body.
std::vector<std::string> messages(std::string_view body) {
  std::vector<std::string> all;
  while (!body.empty()) {
    const size_t blank = body.find(' ');
    const size_t size = std::stoul(std::string(body.substr(0, blank)));
    std::string_view frame = body.substr(blank + 1, size);
    REQUIRE(frame.size() == size);
    body.remove_prefix(blank + 1 + size);
    for (int i = 0; i < 6; ++i) frame.remove_prefix(frame.find(' ') + 1);
    all.emplace_back(frame);
  }
  return all;
}

}  // namespace

TEST_CASE("a POST is Logplex's, field by field") {
  DrainFixture f;
  FarEnd far_end;
  const DrainEntry drain = f.add("http://u:pw@127.0.0.1:" + std::to_string(far_end.port) + "/path?x=1");
  f.append(0, 3);
  REQUIRE(f.settled(drain));
  const auto requests = far_end.requests();
  REQUIRE(requests.size() == 1);
  const Request& r = requests[0];
  CHECK(r.target == "/path?x=1");
  CHECK(r.get("Authorization") == "Basic dTpwdw==");
  CHECK(r.get("Content-Type") == "application/logplex-1");
  CHECK(r.get("Logplex-Msg-Count") == "3");
  CHECK(r.get("Logplex-Frame-Id").size() == 32);
  CHECK(r.get("Logplex-Drain-Token") == drain.token);
  CHECK(r.get("User-Agent").starts_with("Logplex/"));
  CHECK(r.body ==
        "46 <13>1 2026-11-21T00:00:00Z host app web.1 - m0"
        "46 <13>1 2026-11-21T00:00:00Z host app web.1 - m1"
        "46 <13>1 2026-11-21T00:00:00Z host app web.1 - m2");
  const auto account = f.account(drain);
  CHECK(account.ledger.delivered == 3);
  CHECK(account.status.state == DrainState::ok);
  CHECK(account.status.last_status == 204);
}

TEST_CASE("a batch that gets no 2xx comes again unchanged, and the channel is told both ways") {
  DrainFixture f;
  std::atomic<int> refusals{1};
  FarEnd far_end([&](const Request&, httplib::Response&) { return refusals-- > 0 ? 503 : 200; });
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 5);
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
  CHECK(f.account(drain).status.last_error == "answered 503");
  CHECK(eventually([&] { return f.account(drain).status.next_try > 0; }));
  f.append(5, 2);
  CHECK(f.account(drain).ledger.buffered == 7);
  REQUIRE(f.settled(drain));
  const auto requests = far_end.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].body == requests[1].body);
  CHECK(requests[0].get("Logplex-Frame-Id") == requests[1].get("Logplex-Frame-Id"));
  CHECK(requests[2].get("Logplex-Frame-Id") != requests[1].get("Logplex-Frame-Id"));
  const auto notices = f.notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].starts_with("heroku[logplex]: drain '" + drain.token + "' failing since "));
  CHECK(notices[0].ends_with(": answered 503"));
  CHECK(notices[1].starts_with("heroku[logplex]: drain '" + drain.token + "' recovered after "));
  CHECK(notices[1].ends_with(": 0 dropped, 7 delivered late"));
}

TEST_CASE("one poisonous record costs itself alone; the others arrive once, in order") {
  DrainFixture f;
  std::vector<std::string> taken;
  FarEnd far_end([&](const Request& request, httplib::Response&) {
    if (request.body.find("poison") != std::string::npos) return 422;
    for (std::string& m : messages(request.body))
      if (!m.starts_with("Error L10")) taken.push_back(std::move(m));
    return 204;
  });
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 37);
  f.append(37, 1, "poison");
  f.append(38, 62);
  REQUIRE(f.settled(drain));
  const Ledger ledger = f.account(drain).ledger;
  CHECK(ledger.delivered == 99);
  CHECK(ledger.dropped[size_t(DropReason::refused)] == 1);
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i)
    if (i != 37) expected.push_back("m" + std::to_string(i));
  CHECK(taken == expected);
  REQUIRE(eventually([&] { return f.notices().size() == 1; }));
  CHECK(f.notices()[0].find("Error L10 (output buffer overflow): drain '" + drain.token +
                            "' dropped 1 messages since ") != std::string::npos);
  CHECK(f.notices()[0].ends_with(" (refused)."));
}

TEST_CASE("410 pauses and says so") {
  DrainFixture f;
  FarEnd far_end([](const Request&, httplib::Response&) { return 410; });
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 5);
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::paused; }));
  CHECK(f.account(drain).ledger.buffered == 5);
  CHECK(far_end.requests().size() == 1);
  CHECK(f.notices().at(0).ends_with(": answered 410"));
}

TEST_CASE("what the bound took is told to the drain by its first frame, and to the channel") {
  DrainFixture f({.history = 10, .bytes = 256 * 1024});
  std::atomic<bool> down{true};
  FarEnd far_end([&](const Request&, httplib::Response&) { return down ? 503 : 204; });
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 1);
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
  for (int i = 1; i < 4001; i += 100) f.append(i, 100, "m", 200);
  down = false;
  REQUIRE(f.settled(drain));
  const Ledger ledger = f.account(drain).ledger;
  const uint64_t dropped = ledger.dropped[size_t(DropReason::overflow)];
  CHECK(dropped > 0);
  CHECK(ledger.accepted == 4001);

  // The last of it may be told up to a second later, alone.
  const auto told_by = [&](const std::string& body) {
    uint64_t n = 0;
    for (const std::string& m : messages(body))
      if (m.starts_with("Error L10")) n += std::stoul(m.substr(m.find("): ") + 3));
    return n;
  };
  CHECK(eventually([&] {
    uint64_t told = 0;
    for (const Request& request : far_end.requests()) told += told_by(request.body);
    return told == dropped;
  }));
  uint64_t got = 0;
  const auto requests = far_end.requests();
  std::string last_id;
  for (const Request& request : requests) {
    const auto all = messages(request.body);
    CHECK(request.get("Logplex-Msg-Count") == std::to_string(all.size()));
    if (request.get("Logplex-Frame-Id") == last_id) continue;  // sent again
    last_id = request.get("Logplex-Frame-Id");
    for (const std::string& m : all) got += !m.starts_with("Error L10");
  }
  CHECK(got == ledger.delivered);
  CHECK(eventually([&] {
    uint64_t noticed = 0;
    for (const std::string& line : f.notices())
      if (const size_t at = line.find("' dropped "); at != line.npos)
        noticed += std::stoul(line.substr(at + 10));
    return noticed == dropped;
  }));
}

// ---- restarts, and logs on disk --------------------------------------------------------------------------

namespace {

/// As a later start adds it, which has from its store that nothing was taken and that so many records from
/// `first` on were in flight.
void start_again(DrainFixture& f, DrainEntry entry, Position first, uint64_t in_flight) {
  f.drains.drain_removed(entry);
  entry.start = {.next = first, .ordinal = 0, .frozen = {}, .counts = {}};
  if (in_flight) entry.start.frozen = {first.value + in_flight};
  f.drains.drain_added(entry);
}

Position first_of(DrainFixture& f) {
  return history_of(*f.channel->log, 1'000'000).slices.at(0).first;
}

std::vector<std::string> long_messages(int from, int count) {
  return numbered(from, count, 300);
}

}  // namespace

TEST_CASE("a batch in flight is the same batch after a restart, whatever came behind it") {
  DrainFixture f({.history = 100'000, .bytes = 64u << 20});
  std::atomic<bool> down{true};
  FarEnd far_end([&](const Request&, httplib::Response&) { return down ? 503 : 204; });
  const DrainEntry drain = f.add(far_end.url());
  int in_flight = 0;
  SUBCASE("of one chunk") {
    in_flight = 1;
  }
  SUBCASE("of many chunks") {
    in_flight = 40;
  }
  f.append(0, in_flight, "m", 300);
  REQUIRE(eventually([&] { return !far_end.requests().empty(); }));
  f.append(in_flight, 30, "m", 300);
  const Request before = far_end.requests().back();
  REQUIRE(messages(before.body) == long_messages(0, in_flight));
  start_again(f, drain, first_of(f), uint64_t(in_flight));
  const size_t tries = far_end.requests().size();
  REQUIRE(eventually([&] { return far_end.requests().size() > tries; }));
  down = false;
  REQUIRE(f.settled(drain));
  const auto requests = far_end.requests();
  for (size_t i = 0; i + 1 < requests.size(); ++i) {
    CHECK(requests[i].body == before.body);
    CHECK(requests[i].get("Logplex-Frame-Id") == before.get("Logplex-Frame-Id"));
  }
  CHECK(messages(requests.back().body) == long_messages(in_flight, 30));
}

TEST_CASE("what was one batch is one again, also beyond the size of others") {
  DrainFixture f({.history = 100'000, .bytes = 64u << 20});
  FarEnd far_end;
  const DrainEntry drain = f.add("");
  f.append(0, 1000, "m", 300);
  DrainEntry started = drain;
  started.url = far_end.url();
  start_again(f, started, first_of(f), 400);
  REQUIRE(f.settled(started));
  const auto requests = far_end.requests();
  REQUIRE(requests.size() > 2);
  CHECK(messages(requests[0].body) == long_messages(0, 400));
  CHECK(messages(requests[1].body).size() < 400);
}

TEST_CASE("a batch goes when all of it came from disk") {
  testing::SlowDisk disk(2'000);
  DrainFixture f(std::make_unique<testing::SlowStore>(disk));
  FarEnd far_end;
  const DrainEntry drain = f.add("");
  f.append(0, 100, "m", 300);
  DrainEntry started = drain;
  started.url = far_end.url();
  uint64_t in_flight = 0;
  SUBCASE("what was one before this start") {
    in_flight = 50;
  }
  SUBCASE("and others") {}
  disk.hold(3);
  start_again(f, started, Position{1000}, in_flight);
  REQUIRE(eventually([&] { return disk.holds_somebody(); }));
  CHECK(disk.brought() == 3);
  CHECK(f.account(started).ledger.buffered == 100);
  CHECK(far_end.requests().empty());
  disk.release();
  REQUIRE(f.settled(started));
  const auto requests = far_end.requests();
  if (in_flight) {
    REQUIRE(!requests.empty());
    CHECK(messages(requests[0].body) == long_messages(0, 50));
  }
  std::vector<std::string> all;
  for (const Request& request : requests)
    for (const std::string& message : messages(request.body)) all.push_back(message);
  CHECK(all == long_messages(0, 100));
  disk.stop();
}

TEST_CASE("a drain may go while a disk is waited for") {
  testing::SlowDisk disk(2'000);
  DrainFixture f(std::make_unique<testing::SlowStore>(disk));
  FarEnd far_end;
  disk.hold();
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 100, "m", 300);
  REQUIRE(eventually([&] { return disk.holds_somebody(); }));
  REQUIRE(f.catalog.remove_drain("1", drain.id).has_value());
  disk.release();
  const DrainEntry next = f.add(far_end.url());
  f.append(100, 10);
  REQUIRE(f.settled(next));
  disk.stop();
  CHECK(messages(far_end.requests().at(0).body) == numbered(100, 10));
}

// ---- what its owner does ---------------------------------------------------------------------------------

TEST_CASE("a drain that rests holds up nobody, and goes on where it was") {
  DrainFixture f({.history = 10, .bytes = 256 * 1024});
  FarEnd far_end;
  const DrainEntry drain = f.add(far_end.url());
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::paused; }));
  CHECK(f.account(drain).status.cause == "by its owner");
  for (int i = 0; i < 700; i += 100) f.append(i, 100, "m", 200);
  CHECK(f.account(drain).ledger.buffered == 700);
  CHECK_FALSE(f.channel->log->crowded());
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, false).has_value());
  REQUIRE(f.settled(drain));
  CHECK(f.account(drain).ledger.delivered == 700);
  const auto notices = f.notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].ends_with(": by its owner"));
  CHECK(notices[1].ends_with(": 700 waiting"));
}

TEST_CASE("a pause in the midst of a request is told, and the batch comes again as it was") {
  DrainFixture f;
  std::mutex answering;
  std::unique_lock hold(answering);
  std::atomic<bool> asked{false};
  FarEnd far_end([&](const Request&, httplib::Response&) {
    asked = true;
    const std::lock_guard wait(answering);
    return 204;
  });
  const DrainEntry drain = f.add(far_end.url());
  f.append(0, 5);
  REQUIRE(eventually([&] { return asked.load(); }));
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::paused; }));
  hold.unlock();
  CHECK(f.account(drain).ledger.buffered == 5);
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, false).has_value());
  REQUIRE(f.settled(drain));
  const auto requests = far_end.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].body == requests[1].body);
  CHECK(requests[0].get("Logplex-Frame-Id") == requests[1].get("Logplex-Frame-Id"));
  const auto notices = f.notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].ends_with(": by its owner"));
  CHECK(notices[1].find(" resumed after ") != std::string::npos);
}

TEST_CASE("a drain may go, or begin anew, while its body is compressed") {
  DrainFixture f({.history = 1'000'000, .bytes = 64u << 20});
  FarEnd far_end;
  for (int i = 0; i < 20; ++i) {
    DrainEntry drain = f.add(far_end.url("/?gzip=1&n=" + std::to_string(i)));
    f.append(0, 20'000, "m", 300);
    if (i % 2 == 0) {
      REQUIRE(eventually([&] { return f.account(drain).ledger.delivered > 1000; }));
      REQUIRE(f.drains.replay(drain, drain.start).has_value());
    }
    REQUIRE(f.catalog.remove_drain("1", drain.id).has_value());
  }
}

TEST_CASE("a filter: what it does not want costs no request, recovery counts what was delivered") {
  DrainFixture f({.history = 1'000'000, .bytes = 64u << 20});
  std::atomic<bool> down{true};
  FarEnd far_end([&](const Request&, httplib::Response&) { return down ? 503 : 204; });
  const DrainEntry drain = f.add(far_end.url("/?filter=want"));
  f.append(0, 3, "want");
  REQUIRE(eventually([&] { return f.account(drain).status.state == DrainState::failing; }));
  f.append(0, 20'000, "other", 200);
  f.append(3, 2, "want");
  f.append(0, 20'000, "other", 200);
  down = false;
  REQUIRE(f.settled(drain));
  const Ledger ledger = f.account(drain).ledger;
  CHECK(ledger.delivered == 5);
  CHECK(ledger.filtered == 40'000);
  REQUIRE(eventually([&] { return f.notices().size() == 2; }));
  CHECK(f.notices()[1].ends_with(": 0 dropped, 5 delivered late"));
  CHECK(messages(far_end.requests().back().body) == std::vector<std::string>{"want3", "want4"});
}

TEST_CASE("batch_bytes is how far a batch may grow") {
  DrainFixture f({.history = 1'000'000, .bytes = 64u << 20});
  FarEnd far_end;
  f.append(0, 1);
  const DrainEntry drain = f.add(far_end.url("/?batch_bytes=2M"));
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, true).has_value());
  for (int i = 0; i < 60'000; i += 1000) f.append(i, 1000, "m", 300);
  REQUIRE(f.catalog.set_drain_paused("1", drain.id, false).has_value());
  REQUIRE(f.settled(drain));
  size_t most = 0;
  for (const Request& request : far_end.requests()) most = std::max(most, request.body.size());
  CHECK(most > 3u << 19);
  CHECK(most < (2u << 20) + 10'000);
}
