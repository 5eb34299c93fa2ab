// Who is woken and who lags, on one loop.

#include "base/pass.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>

#include "base/turns.h"

using namespace tailrace;

namespace {

struct Worker final : Task {
  explicit Worker(std::function<void(Worker&)> its_work) : work(std::move(its_work)) {}
  void run_task() override {
    ++runs;
    work(*this);
  }
  std::function<void(Worker&)> work;
  int runs = 0;
};

}  // namespace

TEST_CASE("what was woken runs once, however often it was woken") {
  boost::asio::io_context io;
  Pass pass(io);
  Worker worker([](Worker&) {});
  for (int i = 0; i < 5; ++i) pass.wake(worker);
  io.run();
  CHECK(worker.runs == 1);
}

TEST_CASE("those that lag go on in turn, and what is ready meanwhile waits for a few of them alone") {
  boost::asio::io_context io;
  Pass pass(io);
  constexpr int kLagging = 1000, kSteps = 20;
  int steps = 0, woken_at = 0;
  std::vector<std::unique_ptr<Worker>> lagging;
  for (int i = 0; i < kLagging; ++i)
    lagging.push_back(std::make_unique<Worker>([&](Worker& self) {
      ++steps;
      const Mono end = mono_now() + std::chrono::microseconds(100);
      while (mono_now() < end) continue;
      if (self.runs < kSteps) pass.again(self);
    }));
  Worker live([&](Worker&) { woken_at = steps; });
  for (auto& worker : lagging) pass.wake(*worker);
  // Woken when all of them have more to do: it waits for the end of a pause at most, not for a step of each.
  int at = 0;
  boost::asio::steady_timer soon(io, std::chrono::milliseconds(150));
  soon.async_wait([&](boost::system::error_code) {
    at = steps;
    pass.wake(live);
  });
  io.run();
  CHECK(live.runs == 1);
  CHECK(at >= kLagging);
  CHECK(woken_at - at < kLagging / 2);
  for (const auto& worker : lagging) CHECK(worker->runs == kSteps);
}

TEST_CASE("one that is forgotten does not run, whether it was woken or lags") {
  boost::asio::io_context io;
  Pass pass(io);
  Worker worker([&](Worker& self) { pass.again(self); });
  pass.wake(worker);
  io.run_one();
  const int runs = worker.runs;
  CHECK(runs == 1);
  pass.forget(worker);
  io.run();
  CHECK(worker.runs == runs);
}

TEST_CASE("who waits for a turn gets it in order, with everybody else's handlers in between") {
  boost::asio::io_context io;
  Turns turns(io);
  std::vector<int> order;
  int others = 0;
  const auto waits = [](Turns& line, std::vector<int>& into, boost::asio::io_context& of, int& done,
                        int number) -> boost::asio::awaitable<void> {
    boost::asio::steady_timer timer(of);
    co_await line.wait(timer);
    into.push_back(number);
    boost::asio::post(of, [&done] { ++done; });
  };
  for (int i = 0; i < 100; ++i)
    boost::asio::co_spawn(io, waits(turns, order, io, others, i), boost::asio::detached);
  int most_behind = 0;
  while (io.run_one()) most_behind = std::max(most_behind, int(order.size()) - others);
  REQUIRE(order.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(order[size_t(i)] == i);
  CHECK(most_behind <= 2);
}
