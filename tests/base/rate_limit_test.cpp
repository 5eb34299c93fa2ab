#include "base/rate_limit.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {
const Mono kStart = Mono{} + 1h;
}

TEST_CASE("a second's worth goes at once, then as much as has come back") {
  RateLimit limit;
  CHECK(limit.take(60, 100, kStart) == 0ns);
  CHECK(limit.take(60, 100, kStart) == 200ms);
  CHECK(limit.take(40, 100, kStart) == 0ns);
  CHECK(limit.take(1, 100, kStart) == 10ms);
  CHECK(limit.take(10, 100, kStart + 99ms) == 1ms);
  CHECK(limit.take(10, 100, kStart + 100ms) == 0ns);
  CHECK(limit.take(100, 100, kStart + 1h) == 0ns);  // and no more than a second's worth is saved up
  CHECK(limit.take(1, 100, kStart + 1h) == 10ms);
}

TEST_CASE("more than fits goes when the bucket is full, and is waited off afterwards") {
  RateLimit limit;
  CHECK(limit.take(1, 10, kStart) == 0ns);
  CHECK(limit.take(50, 10, kStart) == 100ms);
  CHECK(limit.take(50, 10, kStart + 100ms) == 0ns);
  CHECK(limit.take(1, 10, kStart + 100ms) == 4100ms);
  CHECK(limit.take(1, 10, kStart + 4200ms) == 0ns);
}

TEST_CASE("a changed rate holds from then on, and absurd amounts do not wrap") {
  RateLimit limit;
  CHECK(limit.take(UINT64_MAX, 1, kStart) == 0ns);
  CHECK(limit.take(1, 1, kStart) == 60s);
  CHECK(limit.take(1, 1, kStart + 60s) == 0ns);
  RateLimit other;
  CHECK(other.take(10, 10, kStart) == 0ns);
  CHECK(other.take(1, 1'000'000, kStart) == 1us);
}

TEST_CASE("many threads together get what one would") {
  RateLimit limit;
  std::atomic<int> got{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) got += limit.take(1, 1500, kStart).count() == 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(got == 1500);
}
