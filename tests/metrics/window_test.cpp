#include "metrics/window.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace tailrace;

namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Micros kStart = 1'700'000'000 * kSecond;  // not on a step's border

void insert(Window& window, Micros arrival, double value) {
  if (TimingSketches* sketches = window.at(arrival)) (*sketches)[0].insert(value);
}

Sketch merged(const Window& window, Micros now) {
  TimingSketches all;
  window.merge_into(all, now);
  return std::move(all[0]);
}

}  // namespace

TEST_CASE("a value counts at once and leaves after 56 to 60 s") {
  for (Micros offset = 0; offset < 8 * kSecond; offset += kSecond / 2) {
    Window window;
    const Micros at = kStart + offset;
    insert(window, at, 7);
    CHECK(merged(window, at).count() == 1);
    CHECK(merged(window, at + 55 * kSecond).count() == 1);
    CHECK(merged(window, at + 60 * kSecond).count() == 0);
  }
}

TEST_CASE("the window moves on, and steps are used again") {
  Window window;
  for (int second = 0; second < 600; ++second) {
    insert(window, kStart + second * kSecond, second);
    const Sketch now = merged(window, kStart + second * kSecond);
    CHECK(now.max() == second);
    CHECK(now.min() >= second - 60);
    CHECK(now.min() <= std::max(0, second - 55));
    CHECK(static_cast<double>(now.count()) == now.max() - now.min() + 1);
  }
}

TEST_CASE("late and early arrivals") {
  Window window;
  insert(window, kStart, 1);
  insert(window, kStart - 30 * kSecond, 2);
  CHECK(merged(window, kStart).count() == 2);
  insert(window, kStart - 70 * kSecond, 3);  // was over before it came
  CHECK(merged(window, kStart).count() == 2);
  insert(window, kStart + 2 * kSecond, 4);  // another thread's clock reading may be ahead of the scrape's
  CHECK(merged(window, kStart).count() == 3);

  // A clock that is set back an hour does not silence the window.
  insert(window, kStart - 3600 * kSecond, 5);
  const Sketch after = merged(window, kStart - 3600 * kSecond);
  CHECK(after.count() == 1);
  CHECK(after.max() == 5);
  insert(window, -90 * kSecond, 6);
  CHECK(merged(window, -90 * kSecond).max() == 6);
}

TEST_CASE("expire gives memory back") {
  Window window;
  for (int i = 0; i < 5000; ++i) insert(window, kStart, 0.001 * i);
  window.expire(kStart + 30 * kSecond);
  CHECK(merged(window, kStart + 30 * kSecond).count() == 5000);
  window.expire(kStart + 70 * kSecond);
  CHECK(merged(window, kStart).count() == 0);
  insert(window, kStart + 70 * kSecond, 1);
  CHECK(merged(window, kStart + 70 * kSecond).count() == 1);
}
