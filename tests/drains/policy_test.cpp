// docs/drains.md, "What an answer means", without a network.

#include "drains/policy.h"

#include <doctest/doctest.h>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

struct Policy {
  explicit Policy(uint64_t most = 1 << 20) : policy(most) {}

  Decision answers(int status, uint64_t records = 10, std::chrono::seconds retry_after = 0s) {
    return policy.judge(HttpAnswer{status, retry_after}, {records, records, bytes, took}, now);
  }
  Decision fails(NetErrc code = NetErrc::connect) {
    return policy.judge(NetFailure{code, "connect: connection refused"}, {10, 10, bytes, took}, now);
  }

  DeliveryPolicy policy;
  uint64_t bytes = 1000;
  std::chrono::milliseconds took = 10ms;
  Mono now{1h};
};

/// Within the quarter that jitter takes off.
void check_wait(std::chrono::milliseconds wait, std::chrono::milliseconds whole) {
  CHECK(wait <= whole);
  CHECK(wait >= whole - whole / 4);
}

}  // namespace

TEST_CASE("back-off doubles from 1 s to 30 s") {
  Policy p;
  for (const auto whole : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    const Decision decision = p.answers(500);
    CHECK(decision.verdict == Verdict::again);
    CHECK(decision.failed);
    CHECK(decision.cause == "answered 500");
    check_wait(decision.wait, whole);
  }
  p.policy.forgive();
  check_wait(p.fails().wait, 1s);
}

TEST_CASE("back-off is forgotten once the far end has worked for a while, not at its first answer") {
  Policy p;
  for (int i = 0; i < 3; ++i) p.fails();
  CHECK(p.answers(200).verdict == Verdict::delivered);
  p.now += 9s;
  CHECK(p.answers(204).verdict == Verdict::delivered);
  check_wait(p.fails().wait, 8s);
  p.answers(200);
  p.now += 10s;
  check_wait(p.fails().wait, 1s);
}

TEST_CASE("Retry-After is waited for, by 429 and 503") {
  Policy p;
  CHECK(p.answers(429, 10, 7s).wait == 7s);
  CHECK(p.answers(503, 10, 1h).wait == 1h);
  CHECK(p.answers(503, 10, 1s).wait == 1s);  // told, however far back-off had come
  check_wait(p.answers(503, 10, 0s).wait, 8s);
}

TEST_CASE("401, 403, 404 and 410 pause, and what follows probes") {
  for (const int status : {401, 403, 404, 410}) {
    Policy p;
    const Decision paused = p.answers(status);
    CHECK(paused.verdict == Verdict::pause);
    CHECK(paused.wait == DeliveryPolicy::kProbe);
    const Decision probed = p.fails();
    CHECK(probed.verdict == Verdict::again);
    CHECK(probed.wait == DeliveryPolicy::kProbe);
    CHECK(p.answers(200).verdict == Verdict::delivered);
    check_wait(p.fails().wait, 1s);
  }
}

TEST_CASE("other 4xx and redirects are tried again") {
  for (const int status : {301, 302, 307, 402, 405, 408, 409, 418, 500, 502, 599}) {
    Policy p;
    CHECK(p.answers(status).verdict == Verdict::again);
    CHECK(p.answers(status).failed);
  }
}

TEST_CASE("400, 413 and 422 split down to one record, and only the second lone one in a row is trouble") {
  for (const int status : {400, 413, 422}) {
    Policy p;
    const Decision split = p.answers(status, 2);
    CHECK(split.verdict == Verdict::split);
    CHECK(!split.failed);
    CHECK(split.wait == 0ms);
    const Decision refused = p.answers(status, 1);
    CHECK(refused.verdict == Verdict::refused);
    CHECK(!refused.failed);
    CHECK(refused.wait == 0ms);
    const Decision again = p.answers(status, 1);
    CHECK(again.verdict == Verdict::refused);
    CHECK(again.failed);
    check_wait(again.wait, 1s);
    p.answers(200);
    CHECK(!p.answers(status, 1).failed);
  }
}

TEST_CASE("an L10 frame that is refused is no sign that the far end refuses everything") {
  Policy p;
  const auto answers = [&](uint64_t frames, uint64_t records) {
    return p.policy.judge(HttpAnswer{400, 0s}, {frames, records, 100, 1ms}, p.now);
  };
  CHECK(answers(2, 1).verdict == Verdict::split);
  CHECK(answers(1, 0).verdict == Verdict::refused);
  CHECK(!answers(1, 1).failed);
  CHECK(answers(1, 1).failed);
}

TEST_CASE("batches grow while full ones are answered quickly, and begin anew after trouble") {
  Policy p;
  CHECK(p.policy.batch_bytes() == DeliveryPolicy::kFirstBytes);
  p.bytes = DeliveryPolicy::kFirstBytes - 1;  // not full
  p.answers(200);
  CHECK(p.policy.batch_bytes() == DeliveryPolicy::kFirstBytes);
  p.bytes = 1 << 20;
  p.took = 1s;  // slow
  p.answers(200);
  CHECK(p.policy.batch_bytes() == DeliveryPolicy::kFirstBytes);
  p.took = 999ms;
  for (uint64_t size = DeliveryPolicy::kFirstBytes; size < 1 << 20; size *= 2) {
    CHECK(p.policy.batch_bytes() == size);
    p.answers(200);
  }
  CHECK(p.policy.batch_bytes() == 1 << 20);
  p.answers(200);
  CHECK(p.policy.batch_bytes() == 1 << 20);
  p.fails(NetErrc::timeout);
  CHECK(p.policy.batch_bytes() == DeliveryPolicy::kFirstBytes);
}

TEST_CASE("what was answered 413 bounds what follows, for a while") {
  Policy p;
  p.bytes = 1 << 20;
  for (int i = 0; i < 10; ++i) p.answers(200);
  p.bytes = 200'000;
  p.answers(413, 2);
  CHECK(p.policy.batch_bytes() == 100'000);
  p.bytes = 100'000;
  for (int i = 0; i < 63; ++i) p.answers(200);
  CHECK(p.policy.batch_bytes() == 100'000);
  p.answers(200);  // the 64th: a little more is tried
  p.answers(200);
  CHECK(p.policy.batch_bytes() == 125'000);
}

TEST_CASE("a drain's own bound holds from the beginning") {
  CHECK(Policy(1024).policy.batch_bytes() == 1024);
}
