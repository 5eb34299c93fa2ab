#include "metrics/rollup/cell.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "tests/metrics/exact_values.h"

using namespace tailrace;

namespace {

constexpr Micros kBase = 1'795'000'000'000'000;

std::string encoded(const Cell& cell) {
  std::string out;
  cell.encode(out, kBase);
  return out;
}

/// Sent to another machine and back.
Cell sent(const Cell& cell) {
  const std::string bytes = encoded(cell) + "behind";
  std::string_view text = bytes;
  Cell other;
  REQUIRE(other.decode(text, kBase));
  REQUIRE(text == "behind");
  CHECK(encoded(other) == encoded(cell));
  return other;
}

Stamp stamp(std::mt19937_64& random) {
  return {kBase + std::uniform_int_distribution<int>(0, 1000)(random),
          {std::uniform_int_distribution<uint64_t>(1, 50)(random)}};
}

}  // namespace

TEST_CASE("cells: what many shards counted, merged in any order, is what one would have counted") {
  std::mt19937_64 random(1);
  for (const auto& [kind, draw] : kinds_of_values()) {
    CAPTURE(kind);
    for (int round = 0; round < 60; ++round) {
      std::vector<Cell> cells(std::uniform_int_distribution<size_t>(1, 9)(random));
      ExactValues exact;
      for (Cell& cell : cells) {
        const size_t most = round % 3 ? 12 : 3000;
        for (auto n = std::uniform_int_distribution<size_t>(0, most)(random); n > 0; --n) {
          const double value = draw(random);
          const Stamp at = stamp(random);
          cell.add(value, at);
          exact.add(value, at);
        }
      }
      while (cells.size() > 1) {
        std::shuffle(cells.begin(), cells.end(), random);
        if (random() % 2) cells.back() = sent(cells.back());
        cells.front().merge(cells.back());
        cells.pop_back();
      }
      check_same(cells.front(), exact);
      check_same(sent(cells.front()), exact);
    }
  }
}

TEST_CASE("cells: a sum loses nothing to many small values beside a large one") {
  Cell cell;
  ExactValues exact;
  std::mt19937_64 random(2);
  for (int i = 0; i < 200'000; ++i) {
    const double value = i == 1000 ? 1e17 : std::exponential_distribution<>(10)(random);
    cell.add(value, {kBase, {1}});
    exact.add(value, {kBase, {1}});
  }
  CHECK(cell.sum() == exact_sum(exact.values));
}

TEST_CASE("cells: lines that count are ones without a bucket") {
  Cell lines;
  lines.add_lines(0, {kBase, {9}});
  CHECK(lines.count() == 0);
  lines.add_lines(3, {kBase, {1}});
  lines.add_lines(4'000'000'000, {kBase + 1, {2}});
  CHECK(lines.count() == 4'000'000'003);
  CHECK(lines.sum() == 4'000'000'003);
  CHECK(lines.last() == 1);
  CHECK(lines.quantile(0.5) == 1);
  CHECK(lines.memory() == 0);

  ExactValues exact;
  Cell mixed;
  for (const double value : {0.5, 1.001, 2.0, -3.0, 0.0, 1.0}) {
    mixed.add(value, {kBase, {1}});
    exact.add(value, {kBase, {1}});
  }
  mixed.add_lines(5, {kBase + 2, {3}});
  for (int i = 0; i < 5; ++i) exact.add(1, {kBase + 2, {3}});
  check_same(mixed, exact);
}

TEST_CASE("cells: what is no number is no value") {
  Cell cell;
  for (const double none : {std::numeric_limits<double>::quiet_NaN(), double(INFINITY), -double(INFINITY)})
    cell.add(none, {kBase, {1}});
  check_same(cell, {});
  check_same(sent(cell), {});
  Cell other;
  other.add(std::numeric_limits<double>::max(), {kBase, {1}});
  other.merge(cell);
  CHECK(other.count() == 1);
  CHECK(other.last() == std::numeric_limits<double>::max());
}

TEST_CASE("cells: a few values take tens of bytes, in memory under a kibibyte") {
  const Stamp at{kBase + 59'000'000, {1'882'193'526'783'050}};
  Cell one, lines, few, many;
  one.add(0.137, at);
  lines.add_lines(1234, at);
  std::mt19937_64 random(3);
  for (int i = 0; i < 5; ++i) few.add(std::lognormal_distribution<>(-3, 1.2)(random), at);
  for (int i = 0; i < 100; ++i) many.add(std::lognormal_distribution<>(-3, 1.2)(random), at);
  CHECK(encoded(one).size() <= 32);
  CHECK(encoded(lines).size() <= 32);
  CHECK(encoded(few).size() <= 64);
  CHECK(encoded(many).size() <= 256);
  CHECK(sizeof(Cell) + many.memory() < 1024);
}

TEST_CASE("cells: damaged bytes are refused or give a cell that answers") {
  std::mt19937_64 random(4);
  for (const auto& [kind, draw] : kinds_of_values()) {
    CAPTURE(kind);
    Cell cell;
    for (int i = 0; i < 40; ++i) cell.add(draw(random), stamp(random));
    const std::string good = encoded(cell);
    for (size_t size = 0; size < good.size(); ++size) {
      std::string_view text = std::string_view(good).substr(0, size);
      Cell kept;
      kept.add(7, {kBase, {1}});
      CHECK_FALSE(kept.decode(text, kBase));
      CHECK(text.size() == size);
      CHECK(kept.max() == 7);
    }
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bytes = good;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      std::string_view text = bytes;
      Cell damaged;
      if (!damaged.decode(text, kBase) || !damaged.count()) continue;
      for (const double q : {0.0, 0.3, 0.5, 0.99, 1.0}) {
        CHECK(damaged.quantile(q) >= damaged.min());
        CHECK(damaged.quantile(q) <= damaged.max());
      }
      damaged.merge(cell);
      CHECK(damaged.count() >= cell.count());
    }
  }
  // More buckets, and more in them, than any cell has.
  for (std::string bytes : {std::string("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
                            std::string(11, '\xff'), std::string("\x20\x01")}) {
    std::string_view text = bytes;
    Cell cell;
    CHECK_FALSE(cell.decode(text, kBase));
  }
}
