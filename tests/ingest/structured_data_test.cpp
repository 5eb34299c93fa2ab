#include "ingest/structured_data.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/ingest/structured_data_twin.h"

using namespace tailrace;

namespace {

const std::string kToken = "t.3f1c1f2e-0000-4000-8000-000000000001";
const std::string kOther = "t.3f1c1f2e-0000-4000-8000-000000000002";
const std::string kOwn = "[tailrace@32473 token=\"" + kToken + "\"]";

}  // namespace

TEST_CASE("the token is found and goes, the rest stays as it is") {
  const std::string meta = "[meta seq=\"5\\\"18\\]\\\\\"]";
  CHECK(strip(kOwn) == SdResult{kToken, true, "-"});
  CHECK(strip(meta + kOwn) == SdResult{kToken, true, meta});
  CHECK(strip(kOwn + meta) == SdResult{kToken, true, meta});
  CHECK(strip("[tailrace@32473 a=\"1\" token=\"" + kToken + "\" b=\"2\"]") ==
        SdResult{kToken, true, "[tailrace@32473 a=\"1\" b=\"2\"]"});
  CHECK(strip("[" + kToken + "@41058]") == SdResult{kToken, true, "-"});
  CHECK(strip(meta + "[" + kToken + "@41058 tag=\"x\\]\"]" + meta) == SdResult{kToken, true, meta + meta});
  CHECK(strip("[" + kToken + "]" + meta) == SdResult{kToken, true, meta});
}

TEST_CASE("every token goes, the first that looks like one counts") {
  CHECK(strip("[tailrace@32473 token=\"\" token=\"" + kToken + "\" token=\"" + kOther + "\"]") ==
        SdResult{kToken, true, "-"});
  CHECK(strip("[" + kOther + "@1]" + kOwn) == SdResult{kOther, true, "-"});
  CHECK(strip(kOwn + kOwn + "[x@1]" + kOwn) == SdResult{kToken, true, "[x@1]"});
  // what stands in its place goes, also if it is no token: it may be half of one
  CHECK(strip("[tailrace@32473 token=\"" + kToken + "\\\"\"]") == SdResult{"", true, "-"});
  CHECK(strip("[tailrace@32473 token=\"" + kToken.substr(0, 37) + "\"]") == SdResult{"", true, "-"});
  CHECK(strip("[tailrace@32473 x=\"\\\\\" token=\"" + kToken + "\" y=\"\\\"\"]") ==
        SdResult{kToken, true, "[tailrace@32473 x=\"\\\\\" y=\"\\\"\"]"});
}

TEST_CASE("what only looks like it stays") {
  for (const std::string sd :
       {"-", "", "[x@1]", "[tailrace@32473 a=\"1\"]", "[tailrace@32473 tokens=\"1\"]",
        "[tailrace@3247 token=\"1\"]", "[tailrace@324730 token=\"1\"]", "[x@1 tailrace@32473=\"token\"]",
        "[x@1 a=\"[tailrace@32473 token=\\\"t\\\"\\]\"]", "[x@1 a=\"[t.\"]", "[t.short@1]", "[t.]"})
    CHECK(strip(sd) == SdResult{"", false, sd});
}

TEST_CASE("random structured data agrees with the slow twin") {
  std::mt19937 random(5);
  const std::vector<std::string> ids = {"tailrace@32473", "x@1",  "meta",    "t.x@1",
                                        kToken + "@1",    kOther, "tailrace"};
  const std::vector<std::string> names = {"token", "a", "t", "tokens", "tailrace@32473"};
  const std::vector<std::string> values = {"",     "1",
                                           kToken, kOther,
                                           "\\\"", "\\\\",
                                           "\\]",  "a b",
                                           "[t.",  "[tailrace@32473 token=",
                                           "\\x",  kToken + "\\\\"};
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int round = 0; round < 20'000; ++round) {
    std::string sd;
    for (int e = int(random() % 4); e >= 0; --e) {
      sd += "[" + pick(ids);
      for (int p = int(random() % 4); p > 0; --p) {
        sd += " " + pick(names) + "=\"";
        for (int v = int(random() % 3); v > 0; --v) sd += pick(values);
        sd += "\"";
      }
      sd += "]";
    }
    CAPTURE(sd);
    const SdResult fast = strip(sd);
    CHECK((fast == strip_slowly(sd)));
    CHECK_FALSE(find_tokens(fast.left).remove);
  }
}
