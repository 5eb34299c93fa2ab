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
