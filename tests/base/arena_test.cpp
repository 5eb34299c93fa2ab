#include "base/arena.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace tailrace;

TEST_CASE("what an arena keeps stays where it is until clear()") {
  Arena arena;
  std::vector<std::pair<std::string, std::string_view>> kept;
  for (size_t i = 0; i < 3'000; ++i) {
    const std::string text(i % 500, char('a' + i % 26));
    kept.emplace_back(text + "-" + text, arena.keep(text, "-", text));
  }
  const std::string huge(1 << 20, 'h');
  kept.emplace_back(huge, arena.keep(huge));
  for (const auto& [text, view] : kept) CHECK(text == view);
  CHECK(arena.keep("", std::string_view{}).empty());
}

TEST_CASE("bytes given back are handed out again") {
  Arena arena;
  char* const first = arena.take(100);
  arena.give_back(60);
  CHECK(arena.take(1) == first + 40);
}

TEST_CASE("clear() keeps a bounded amount, and what is kept is used again") {
  Arena arena(2 * Arena::kBlock);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) arena.take(Arena::kBlock / 2);
    arena.take(1 << 22);
    CHECK(arena.held() > 1 << 22);
    arena.clear();
    CHECK(arena.held() <= 2 * Arena::kBlock);
  }
  const size_t held = arena.held();
  CHECK(held > 0);
  arena.take(Arena::kBlock);
  CHECK(arena.held() == held);
}
