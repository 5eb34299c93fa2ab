#include "web/cpu_shares.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

Mono at(int milliseconds) {
  return Mono{} + std::chrono::milliseconds(milliseconds);
}

}  // namespace

TEST_CASE("what threads took since the look before, over two seconds at least") {
  CpuShares shares({{1, "a", 10.0}}, at(0));
  using Shares = std::vector<double>;
  CHECK(shares.look({{1, "a", 10.0}}, at(0)) == Shares{0});
  CHECK(shares.look({{1, "a", 10.5}}, at(1000)) == Shares{0.5});
  CHECK(shares.look({{1, "a", 11.0}}, at(4000)) == Shares{0.25});
  // One second behind the last look: since the one before that.
  CHECK(shares.look({{1, "a", 13.5}}, at(5000)) == Shares{0.7});
  CHECK(shares.look({{1, "a", 13.0}}, at(8000)) == Shares{0.5});
  // One that is new has taken all since then; one whose number is used again has taken nothing before.
  CHECK(shares.look({{1, "b", 1.0}, {2, "c", 2.0}}, at(12000)) == Shares{0, 0.5});
}
