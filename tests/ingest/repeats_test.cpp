#include "ingest/repeats.h"

#include <doctest/doctest.h>

using namespace tailrace;
using namespace std::chrono_literals;
using Kind = Repeats::Answer::Kind;

namespace {

struct Twin final : Repeats::Waiter {
  void judged(const Verdict* v) override {
    ++calls;
    if (v) verdict = *v;
  }
  int calls = 0;
  std::optional<Verdict> verdict;
};

Verdict verdict(uint64_t accepted, RejectReason reason = RejectReason::malformed, uint64_t rejected = 0) {
  Verdict v;
  v.accepted = accepted;
  v.rejected.add(reason, rejected);
  return v;
}

const Mono kStart = Mono{} + 1h;
const PostKey kKey{1, 2};

}  // namespace

TEST_CASE("a key names writer, id and body, wherever one ends and the next begins") {
  prometheus::Counter forgotten_early;
  const Repeats repeats(100, forgotten_early), elsewhere(100, forgotten_early);
  const PostKey key = repeats.key("t.one", "frame-1", "body");
  CHECK(repeats.key("t.one", "frame-1", "body") == key);
  for (const PostKey& other :
       {repeats.key("t.two", "frame-1", "body"), repeats.key("t.one", "frame-2", "body"),
        repeats.key("t.one", "frame-1", "bodx"), repeats.key("t.onef", "rame-1", "body"),
        repeats.key("t.one", "frame-1b", "ody"), elsewhere.key("t.one", "frame-1", "body")})
    CHECK_FALSE(other == key);
}

TEST_CASE("who withdraws is not called") {
  prometheus::Counter forgotten_early;
  Repeats repeats(100, forgotten_early);
  Twin nobody, gone, stays;
  auto first = repeats.ask(kKey, nobody, kStart);
  CHECK(repeats.ask(kKey, gone, kStart).kind == Kind::waiting);
  CHECK(repeats.ask(kKey, stays, kStart).kind == Kind::waiting);
  repeats.withdraw(kKey, gone);
  repeats.withdraw(PostKey{3, 4}, gone);
  first.claim.finish(verdict(7), kStart);
  CHECK(gone.calls == 0);
  CHECK(stays.calls == 1);
  repeats.withdraw(kKey, stays);
}

TEST_CASE("a repeat gets the first one's verdict for five minutes") {
  prometheus::Counter forgotten_early;
  Repeats repeats(100, forgotten_early);
  Twin twin;
  auto first = repeats.ask(kKey, twin, kStart);
  REQUIRE(first.kind == Kind::first);
  first.claim.finish(verdict(3, RejectReason::malformed, 2), kStart);
  auto again = repeats.ask(kKey, twin, kStart + 5min - 1ms);
  REQUIRE(again.kind == Kind::known);
  CHECK(again.verdict.accepted == 3);
  CHECK(again.verdict.rejected.of(RejectReason::malformed) == 2);
  CHECK(again.verdict.status() == 200);
  CHECK(repeats.ask(kKey, twin, kStart + 5min).kind == Kind::first);
  CHECK(twin.calls == 0);
}

TEST_CASE("a repeat that comes while the first one is judged hears what came of it") {
  prometheus::Counter forgotten_early;
  Repeats repeats(100, forgotten_early);
  Twin nobody, a, b;
  auto first = repeats.ask(kKey, nobody, kStart);
  CHECK(repeats.ask(kKey, a, kStart).kind == Kind::waiting);
  CHECK(repeats.ask(kKey, b, kStart).kind == Kind::waiting);
  first.claim.finish(verdict(7), kStart);
  CHECK(a.calls == 1);
  REQUIRE(b.verdict);
  CHECK(b.verdict->accepted == 7);
  CHECK(nobody.calls == 0);
}

TEST_CASE("what asks to come again is told to those who wait, and not remembered") {
  for (const RejectReason reason : {RejectReason::quota, RejectReason::no_room}) {
    prometheus::Counter forgotten_early;
    Repeats repeats(100, forgotten_early);
    Twin nobody, twin;
    auto first = repeats.ask(kKey, nobody, kStart);
    CHECK(repeats.ask(kKey, twin, kStart).kind == Kind::waiting);
    first.claim.finish(verdict(0, reason, 5), kStart);
    REQUIRE(twin.verdict);
    CHECK(twin.verdict->status() == (reason == RejectReason::quota ? 429 : 503));
    CHECK(repeats.ask(kKey, nobody, kStart).kind == Kind::first);
  }
}

TEST_CASE("a claim that ends without a verdict lets its twins go") {
  prometheus::Counter forgotten_early;
  Repeats repeats(100, forgotten_early);
  Twin nobody, twin;
  {
    auto first = repeats.ask(kKey, nobody, kStart);
    CHECK(repeats.ask(kKey, twin, kStart).kind == Kind::waiting);
  }
  CHECK(twin.calls == 1);
  CHECK_FALSE(twin.verdict);
  CHECK(repeats.ask(kKey, nobody, kStart).kind == Kind::first);
}

TEST_CASE("beyond the bound the oldest are forgotten, and counted") {
  prometheus::Counter forgotten_early;
  Repeats repeats(160, forgotten_early);  // 11 in each of 16 parts
  Twin nobody;
  for (int i = 0; i < 1000; ++i)
    repeats.ask(repeats.key("w", std::to_string(i), ""), nobody, kStart).claim.finish(verdict(1), kStart);
  const uint64_t forgotten = uint64_t(forgotten_early.Value());
  CHECK(forgotten >= 1000 - 16 * 11);
  uint64_t known = 0;
  for (int i = 0; i < 1000; ++i)
    known += repeats.ask(repeats.key("w", std::to_string(i), ""), nobody, kStart).kind == Kind::known;
  CHECK(known == 1000 - forgotten);
  CHECK(repeats.ask(repeats.key("w", "999", ""), nobody, kStart).kind == Kind::known);
}

namespace {

constexpr Micros kWall = 1'700'000'000'000'000, kSecond = 1'000'000;

PostVerdict stored(const PostKey& key, Micros arrival, uint32_t accepted, std::string rejected = {}) {
  return {key.bytes(), arrival, accepted, std::move(rejected)};
}

}  // namespace

TEST_CASE("a key as 16 bytes, the low ones first") {
  const PostKey key{0x0807060504030201, 0x100f0e0d0c0b0a09};
  const std::array<uint8_t, 16> bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  CHECK(key.bytes() == bytes);
  CHECK(PostKey::of(bytes) == key);
}

TEST_CASE("with one seed two processes name a POST alike") {
  prometheus::Counter forgotten_early;
  const Repeats a(100, forgotten_early, 1), b(100, forgotten_early, 1), c(100, forgotten_early, 2);
  CHECK(a.key("w", "id", "body") == b.key("w", "id", "body"));
  CHECK_FALSE(a.key("w", "id", "body") == c.key("w", "id", "body"));
}

TEST_CASE("stored verdicts count for the rest of their five minutes, by the wall's clock") {
  prometheus::Counter forgotten_early;
  Repeats repeats(100, forgotten_early);
  const PostKey young{1, 16}, old{2, 16}, over{3, 16}, to_come{4, 16};  // of one part
  const std::vector<PostVerdict> posts{
      stored(to_come, kWall + 3600 * kSecond, 4), stored(over, kWall - 300 * kSecond, 3),
      stored(young, kWall - kSecond, 1), stored(old, kWall - 299 * kSecond, 2, "malformed=2 quota=3")};
  repeats.load(posts, kStart, kWall);
  Twin nobody;
  CHECK(repeats.ask(over, nobody, kStart).kind == Kind::first);
  const auto known = repeats.ask(old, nobody, kStart);
  REQUIRE(known.kind == Kind::known);
  CHECK(known.verdict.accepted == 2);
  CHECK(known.verdict.rejected.of(RejectReason::malformed) == 2);
  CHECK(known.verdict.rejected.of(RejectReason::quota) == 3);
  CHECK(known.verdict.rejected.total() == 5);
  CHECK(repeats.ask(old, nobody, kStart + 1s).kind == Kind::first);
  CHECK(repeats.ask(young, nobody, kStart + 298s).kind == Kind::known);
  CHECK(repeats.ask(young, nobody, kStart + 299s).kind == Kind::first);
  CHECK(repeats.ask(to_come, nobody, kStart + 299s).kind == Kind::known);
  CHECK(repeats.ask(to_come, nobody, kStart + 300s).kind == Kind::first);
}

TEST_CASE("of two stored verdicts of one POST the newer counts; beyond the bound the oldest are left out") {
  prometheus::Counter forgotten_early;
  Repeats repeats(16, forgotten_early);  // two in each of 16 parts
  std::vector<PostVerdict> posts;
  for (uint64_t i = 0; i < 5; ++i) posts.push_back(stored({i, 16}, kWall - Micros(i) * kSecond, uint32_t(i)));
  posts.push_back(stored({0, 16}, kWall - 7 * kSecond, 7));
  repeats.load(posts, kStart, kWall);
  CHECK(forgotten_early.Value() == 3);
  Twin nobody;
  for (uint64_t i = 0; i < 2; ++i) {
    const auto known = repeats.ask({i, 16}, nobody, kStart);
    REQUIRE(known.kind == Kind::known);
    CHECK(known.verdict.accepted == i);
  }
  CHECK(repeats.ask({2, 16}, nobody, kStart).kind == Kind::first);
}

TEST_CASE("rejections as logfmt, there and back; an unknown reason stays counted") {
  Rejections all;
  for (size_t r = 0; r < kRejectReasons.size(); ++r) all.add(RejectReason(r), r + 1);
  CHECK(to_logfmt(all) == "truncated=1 too_long=2 malformed=3 unknown_token=4 no_room=5 quota=6");
  CHECK(rejections_of(to_logfmt(all)) == all);
  CHECK(to_logfmt({}).empty());
  CHECK(rejections_of("").total() == 0);
  CHECK(rejections_of("sunspots=4 quota=1").total() == 5);
  CHECK(rejections_of("quota").total() == 0);
}
