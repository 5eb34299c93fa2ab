#include "base/process_figures.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/thread_name.h"
#include "tests/eventually.h"

using namespace tailrace;

TEST_CASE("a thread's line of /proc, whatever its name holds") {
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 3 0 77 0";
  for (const std::string name : {"loop 0", "a) R (b", ")", "", "((", "x 14 15"}) {
    const auto time = thread_time_of("4711 (" + name + ")" + rest);
    REQUIRE(time);
    CHECK(time->id == 4711);
    CHECK(time->name == name);
    CHECK(time->cpu_seconds == doctest::Approx(175 * tick));
  }
  for (const char* bad : {"", "4711", "4711 (x", "x (a) S 1", "() ", "4711 (x) S 1 2 3", "(", ")("})
    CHECK_FALSE(thread_time_of(bad));
}

TEST_CASE("this process: its threads by name, its memory, its files") {
  std::atomic<bool> named{false}, over{false};
  std::jthread thread([&] {
    name_this_thread("a name that is far too long");
    named = true;
    while (!over) std::this_thread::yield();
  });
  REQUIRE(testing::eventually([&] { return named.load(); }));
  const auto times = thread_times();
  over = true;
  REQUIRE(times.size() >= 2);
  CHECK(std::ranges::is_sorted(times, {}, &ThreadTime::id));
  CHECK(times.front().id == getpid());
  CHECK(std::ranges::count(times, "a name that is ", &ThreadTime::name) == 1);

  CHECK(resident_bytes() > 100'000);
  const auto before = open_files();
  const int file = ::open("/dev/null", O_RDONLY);
  const auto after = open_files();
  ::close(file);
  REQUIRE(before);
  REQUIRE(after);
  CHECK(after->used == before->used + 1);
  CHECK(after->bound >= after->used);
}

TEST_CASE("all threads of a pool get their names") {
  boost::asio::thread_pool pool(3);
  name_threads(pool, 3, "pool");
  const auto named = [] {
    const auto times = thread_times();
    return std::ranges::count_if(times, [](const ThreadTime& t) { return t.name.starts_with("pool "); });
  };
  CHECK(testing::eventually([&] { return named() == 3; }));
  pool.join();
}
