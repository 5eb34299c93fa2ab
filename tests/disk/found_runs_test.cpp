#include "channels/disk/found_runs.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <tuple>

using namespace tailrace;

namespace {

/// Number by number: the copy that counts, as (segment, offset).
std::map<uint64_t, std::tuple<uint32_t, uint64_t, uint64_t>> slowly(const std::vector<FoundRun>& runs) {
  std::map<uint64_t, std::tuple<uint32_t, uint64_t, uint64_t>> all;
  for (const FoundRun& run : runs)
    for (uint64_t i = 0; i < run.records; ++i) {
      auto& at = all[run.number + i];
      at = std::max(at, std::tuple{run.segment, run.offset, run.ordinal + i});
    }
  return all;
}

}  // namespace

TEST_CASE("found runs: each number once, the copy in the newest segment, by a slow twin") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 3000; ++round) {
    std::vector<FoundRun> runs;
    const size_t n = random() % 12;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t number = random() % 40;
      runs.push_back(
          {number, number + 1000, 8192 + i * 800, 64, uint32_t(1 + random() % 15), uint32_t(random() % 4)});
    }
    const auto expected = slowly(runs);
    merge_runs(runs);
    std::map<uint64_t, std::tuple<uint32_t, uint64_t, uint64_t>> found;
    uint64_t behind = 0;
    for (const FoundRun& run : runs) {
      CHECK(run.records > 0);
      CHECK(run.number >= behind);
      behind = run.end_number();
      for (uint64_t i = 0; i < run.records; ++i)
        found[run.number + i] = {run.segment, run.offset, run.ordinal + i};
    }
    REQUIRE(found == expected);
  }
}
