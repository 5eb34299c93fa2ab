#include "metrics/exemplars.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace tailrace;

namespace {

constexpr Micros kNoon = 1'800'000'000'000'000;
constexpr Micros kSecond = 1'000'000;

std::string shown(const Exemplars& exemplars) {
  std::string text;
  for (size_t bucket = 0; bucket < Exemplars::kBuckets; ++bucket)
    if (const Exemplar* e = exemplars.of(bucket))
      text += std::to_string(bucket) + " " + e->request_id + " " + std::to_string(e->value) + " " +
              std::to_string(e->time - kNoon) + "\n";
  return text;
}

}  // namespace

TEST_CASE("each bucket is due once a second") {
  Exemplars exemplars;
  CHECK(exemplars.due(3, kNoon));
  CHECK_FALSE(exemplars.due(3, kNoon));
  CHECK(exemplars.due(4, kNoon + 1));
  CHECK(exemplars.due(15, kNoon + kSecond - 1));
  CHECK_FALSE(exemplars.due(3, kNoon + kSecond - 1));
  CHECK(exemplars.due(3, kNoon + kSecond));
  CHECK_FALSE(exemplars.due(3, kNoon + kSecond));
  // A clock that is set back must not close it for good.
  CHECK(exemplars.due(3, kNoon - 3600 * kSecond));
}

TEST_CASE("the later line of a bucket stays") {
  Exemplars exemplars;
  CHECK(exemplars.of(0) == nullptr);
  exemplars.take(2, "b", 0.004, kNoon);
  exemplars.take(2, "a", 0.003, kNoon - 1);
  CHECK(shown(exemplars) == "2 b 0.004000 0\n");
  exemplars.take(2, "c", 0.005, kNoon + 1);
  exemplars.take(15, "slow", 100, kNoon);
  CHECK(shown(exemplars) == "2 c 0.005000 1\n15 slow 100.000000 0\n");
}

TEST_CASE("a request id is bounded and can be written anywhere") {
  CHECK(is_exemplar_id("8601b555-6a83-4c12-8269-97c8e32cdb22"));
  CHECK(is_exemplar_id(std::string(118, 'x')));
  CHECK_FALSE(is_exemplar_id(std::string(119, 'x')));
  CHECK_FALSE(is_exemplar_id(""));
  CHECK_FALSE(is_exemplar_id("a b"));
  CHECK_FALSE(is_exemplar_id("a\nb"));
  CHECK_FALSE(is_exemplar_id(std::string_view("a\0b", 3)));
  CHECK_FALSE(is_exemplar_id("a\x7f"));
  CHECK_FALSE(is_exemplar_id("\xc3\xa9"));
  CHECK(is_exemplar_id("a\"}\\"));  // escaped when it is written

  Exemplars exemplars;
  exemplars.take(0, std::string(119, 'x'), 0.001, kNoon);
  exemplars.take(0, "", 0.001, kNoon);
  CHECK(shown(exemplars).empty());
  CHECK(exemplars.memory() == 0);
}

TEST_CASE("merging gives the same in any order, and what one alone would have") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Exemplars all;
    std::vector<Exemplars> parts(4);
    for (int i = 0; i < 60; ++i) {
      const size_t bucket = random() % Exemplars::kBuckets;
      const std::string id = "id-" + std::to_string(random() % 5);
      const double value = 0.001 * double(random() % 3);
      const Micros time = kNoon + random() % 4;
      all.take(bucket, id, value, time);
      parts[random() % parts.size()].take(bucket, id, value, time);
    }
    std::shuffle(parts.begin(), parts.end(), random);
    Exemplars merged;
    for (const Exemplars& part : parts) merged.merge(part);
    CHECK(shown(merged) == shown(all));
  }
}
