// POST /logs in front of a store that answers later, from another thread.

#include "ingest/logs_route.h"

#include <prometheus/registry.h>

#include "channels/memory_catalog.h"
#include "ingest/post_waits.h"
#include "tests/channels/later_store.h"
#include "tests/net/testing.h"

using namespace tailrace;
using namespace tailrace::testing;

namespace {

constexpr uint64_t kSeed = 7;

struct Fixture {
  Fixture() {
    channel = *catalog.add_channel("shop");
    token = *catalog.add_token("1", "app");
    for (size_t i = 0; i < served.loops.size(); ++i)
      intakes.push_back(std::make_unique<Intake>(catalog, stats, quota));
    add_logs_route(served.routes, services);
    served.start();
  }
  /// As the process ends: loops, the store's threads, and then what is still suspended on the loops.
  ~Fixture() {
    served.listener.reset();
    served.server.reset();
    served.loops.stop();
    store.stop();
  }

  /// A body that begins with a brace is ndjson, others are lines.
  std::string post(const std::string& id, const std::string& body, const std::string& more = "") const {
    const std::string type = body.starts_with('{') ? "application/x-ndjson" : "text/plain";
    return "POST /logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token->id +
           "\r\nContent-Type: " + type + "\r\n" + (id.empty() ? "" : "Logplex-Frame-Id: " + id + "\r\n") +
           more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  Peer::Answer send(const std::string& id, const std::string& body) {
    Peer peer(served.port());
    REQUIRE(peer.send(post(id, body)));
    return peer.answer();
  }
  uint64_t stored() const { return channel->log->totals().accepted; }
  uint64_t forgotten() { return uint64_t(stats.forgotten_repeats().Value()); }

  prometheus::Registry registry;
  IngestStats stats{registry};
  LaterStore store;
  MemoryCatalog memory{store, {.drains_per_channel = 6}};
  Catalog& catalog = memory;
  ChannelPtr channel;
  TokenPtr token;
  Quota quota;
  Repeats repeats{1000, stats.forgotten_repeats(), kSeed};
  std::vector<std::unique_ptr<Intake>> intakes;
  Budget bodies{64u << 20};
  LogsServices services{catalog, store, intakes, stats, quota, repeats, bodies};
  Served served;
};

std::string lines(int count) {
  std::string body;
  for (int i = 0; i < count; ++i) body += "line " + std::to_string(i) + "\n";
  return body;
}

bool is_silent(const Peer& peer) {
  char byte;
  return ::recv(peer.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "records and verdict are given to the store together; the answer waits for both") {
  store.hold();
  Peer peer(served.port());
  REQUIRE(peer.send(post("a", lines(3))));
  REQUIRE(eventually([&] { return store.waiting() == 2; }));
  store.hold(1);
  REQUIRE(eventually([&] { return store.waiting() == 1; }));
  for (int i = 0; i < 4; ++i) {  // on each loop there is somebody else meanwhile
    Peer other(served.port());
    REQUIRE(other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK(other.answer().status == 404);
  }
  CHECK(is_silent(peer));
  CHECK(store.posts().empty());
  store.release();
  CHECK(peer.answer().status == 204);
  REQUIRE(store.posts().size() == 1);
  CHECK(store.posts()[0].accepted == 3);
  CHECK(store.posts()[0].rejected.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "a POST without a frame id is not kept, one that is refused by its quota neither") {
  CHECK(send("", lines(3)).status == 204);
  quota.set_rate(1);
  CHECK(send("a", lines(3)).status == 204);  // a full bucket lets one pass
  CHECK(send("b", lines(3)).status == 429);
  CHECK(store.posts().size() == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "D14: with a round that found no room the POST is 503, and its verdict is not kept") {
  const std::string body = lines(10'000);  // three rounds
  SUBCASE("of the first round") {
    store.failing = 1;
  }
  SUBCASE("of all rounds") {
    store.failing = 3;
  }
  const Peer::Answer answer = send("a", body);
  CHECK(answer.status == 503);
  CHECK(answer.head.find("\r\nRetry-After: ") != std::string::npos);
  CHECK(store.posts().empty());
  CHECK(forgotten() == 0);
  const uint64_t before = stored();
  CHECK(send("a", body).status == 204);
  CHECK(stored() == before + 10'000);
  CHECK(store.posts().size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "records that are safe are a 2xx, also if the verdict could not be kept") {
  store.keeps_posts = false;
  CHECK(send("a", lines(3)).status == 204);
  CHECK(store.posts().empty());
  CHECK(forgotten() == 1);
  CHECK(send("a", lines(3)).status == 204);
  CHECK(stored() == 3);
}

TEST_CASE_FIXTURE(Fixture, "what was kept is known to the next start: same answer, nothing appended") {
  const std::string body = "{\"message\":\"good\"}\nbad\nworse\n";
  const Peer::Answer first = send("a", body);
  CHECK(first.status == 200);
  Fixture next;
  // The token of the next start is another one, so it is given the key that a stored token would make.
  PostVerdict post = store.posts().at(0);
  CHECK(post.rejected == "malformed=2");
  CHECK(post.key == repeats.key(token->id, "a", body).bytes());
  post.key = next.repeats.key(next.token->id, "a", body).bytes();
  next.repeats.load(std::span(&post, 1), mono_now(), wall_now());
  const Peer::Answer again = next.send("a", body);
  CHECK(again.status == 200);
  CHECK(again.body == first.body);
  CHECK(next.stored() == 0);
  CHECK(next.send("b", body).status == 200);
  CHECK(next.stored() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a sender that goes while its records wait harms nobody") {
  store.hold();
  for (int i = 0; i < 20; ++i) {
    Peer peer(served.port());
    REQUIRE(peer.send(post("a" + std::to_string(i), lines(3))));
    REQUIRE(eventually([&] { return store.waiting() == 2 * size_t(i + 1); }));
    i % 2 ? peer.reset() : peer.close();
  }
  store.release();
  CHECK(send("b", lines(3)).status == 204);
  CHECK(stored() == 63);
  CHECK(send("a1", lines(3)).status == 204);
  CHECK(stored() == 63);
}

TEST_CASE("the process may end while records wait") {
  std::vector<Peer> peers;
  {
    Fixture f;
    f.store.hold();
    for (int i = 0; i < 20; ++i) {
      peers.emplace_back(f.served.port());
      REQUIRE(peers.back().send(f.post(std::to_string(i / 2), lines(3))));
    }
    REQUIRE(eventually([&] { return f.store.waiting() == 20; }));
    SUBCASE("and be told of them by the store's end") {}
    SUBCASE("and be told of some before") {
      f.store.hold(11);
    }
    SUBCASE("and be told of failures") {
      f.store.keeps_posts = false;
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "without room a POST is refused before its body is asked for") {
  store.room = false;
  Peer peer(served.port());
  const std::string whole = post("a", lines(3), "Expect: 100-continue\r\n");
  REQUIRE(peer.send(whole.substr(0, whole.find("\r\n\r\n") + 4)));
  const Peer::Answer answer = peer.answer();
  CHECK(answer.status == 503);
  CHECK(answer.head.find("\r\nRetry-After: 5\r\n") != std::string::npos);
  CHECK(answer.body == R"({"error":"no room to store"})");
  CHECK(stored() == 0);
  Peer stranger(served.port());
  REQUIRE(stranger.send("POST /logs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
  CHECK(stranger.answer().status == 401);
  store.room = true;
  CHECK(send("a", lines(3)).status == 204);
}

TEST_CASE_FIXTURE(Fixture, "a handler that ends without waiting leaves what is out something to call") {
  store.hold();
  auto appends = std::make_shared<Appends>(served.loops[0]);
  const std::weak_ptr<Appends> left = appends;
  Intake intake(catalog, stats, quota);
  const std::string line = "line";
  CHECK_FALSE(intake.take(line, {.token = token, .arrival = 1}));
  appends->expect();
  CHECK(intake.flush(Protocol::http, 1, {}, appends).accepted == 1);
  appends->remember(store, {});
  appends.reset();
  CHECK_FALSE(left.expired());
  store.release();
  CHECK(eventually([&] { return left.expired(); }));
}
