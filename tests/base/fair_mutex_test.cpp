#include "base/fair_mutex.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "tests/eventually.h"

using namespace tailrace;

TEST_CASE("fair mutex: who waits has it before who had it has it again") {
  FairMutex mutex;
  std::vector<int> order;
  for (int round = 0; round < 200; ++round) {
    order.clear();
    std::vector<std::jthread> others;
    mutex.lock();
    for (const int who : {1, 2}) {
      others.emplace_back([&mutex, &order, who] {
        const std::lock_guard lock(mutex);
        order.push_back(who);
      });
      REQUIRE(testing::eventually([&] { return mutex.waiting() == static_cast<uint64_t>(who); }));
    }
    mutex.unlock();
    mutex.lock();
    order.push_back(0);
    mutex.unlock();
    REQUIRE(order == std::vector<int>{1, 2, 0});
  }
  CHECK(mutex.waiting() == 0);
}
