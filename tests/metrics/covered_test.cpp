#include "metrics/rollup/covered.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace tailrace;

namespace {

std::vector<std::pair<uint64_t, uint64_t>> ranges(const Covered& covered) {
  std::vector<std::pair<uint64_t, uint64_t>> all;
  for (const auto& [first, past] : covered.ranges()) all.emplace_back(first.value, past.value);
  return all;
}

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

}  // namespace

TEST_CASE("covered: ranges that touch are one, in whatever order they come") {
  Covered covered;
  CHECK_FALSE(covered.holds({0}));
  covered.add({10}, {20});
  covered.add({20}, {25});
  CHECK(ranges(covered) == Ranges{{10, 25}});
  covered.add({40}, {50});
  covered.add({30}, {30});  // nothing
  CHECK(ranges(covered) == Ranges{{10, 25}, {40, 50}});
  covered.add({24}, {41});
  CHECK(ranges(covered) == Ranges{{10, 50}});
  covered.add({0}, {5});
  covered.add({5}, {10});
  CHECK(ranges(covered) == Ranges{{0, 50}});
  CHECK(covered.holds({0}));
  CHECK(covered.holds({49}));
  CHECK_FALSE(covered.holds({50}));
}

TEST_CASE("covered: says of each position what a set of all of them does") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Covered parts[3];
    std::set<uint64_t> exact;
    for (auto n = random() % 40; n > 0; --n) {
      const uint64_t first = random() % 150, past = first + random() % 9;
      parts[random() % 3].add({first}, {past});
      for (uint64_t p = first; p < past; ++p) exact.insert(p);
    }
    Covered all;
    for (const Covered& part : parts) all.merge(part);
    std::string bytes;
    all.encode(bytes);
    std::string_view text = bytes;
    Covered again;
    REQUIRE(again.decode(text));
    CHECK(text.empty());
    CHECK(again == all);
    for (uint64_t p = 0; p < 170; ++p) CHECK(again.holds({p}) == exact.contains(p));
    for (size_t i = 1; i < all.ranges().size(); ++i)
      CHECK(all.ranges()[i - 1].second < all.ranges()[i].first);
  }
}

TEST_CASE("covered: of too many ranges the oldest gaps are closed, and nothing is lost") {
  Covered covered;
  for (uint64_t i = 0; i < 10'000; ++i) covered.add({i * 10 + 5}, {i * 10 + 8});
  CHECK(covered.ranges().size() == 10'000);
  covered.bound(10'000);
  CHECK_FALSE(covered.holds({100}));
  covered.bound(Covered::kMostRanges);
  CHECK(covered.ranges().size() <= Covered::kMostRanges);
  CHECK(covered.ranges().front().first.value == 5);
  CHECK(covered.ranges().back().second.value == 99'998);
  for (uint64_t i = 0; i < 10'000; ++i) CHECK(covered.holds({i * 10 + 6}));
  CHECK_FALSE(covered.holds({99'994}));  // a new gap
  CHECK(covered.holds({100}));           // an old one

  Covered in_order;
  for (uint64_t i = 0; i < 10'000; ++i) in_order.add({i}, {i + 1});
  CHECK(in_order.ranges().size() == 1);
}

TEST_CASE("covered: damaged bytes are refused") {
  Covered covered;
  covered.add({10}, {20});
  covered.add({30}, {1ull << 52});
  std::string good;
  covered.encode(good);
  for (size_t size = 0; size < good.size(); ++size) {
    std::string_view text = std::string_view(good).substr(0, size);
    CHECK_FALSE(Covered().decode(text));
  }
  for (const std::string& bad :
       {std::string("\x01\x05\x00", 3), std::string("\x02\x05\x01\x00\x01", 5),
        std::string("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05"), std::string("\xff\xff\xff\x7f")}) {
    std::string_view text = bad;
    CHECK_FALSE(Covered().decode(text));
  }
}
