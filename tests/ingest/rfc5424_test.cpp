#include "ingest/rfc5424.h"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string>

#include "tests/ingest/rfc5424_twin.h"

using namespace tailrace;

TEST_CASE("the frames of Logplex's own tests and documents") {
  CHECK(parse("<158>1 2012-12-10T03:00:48.123456Z erlang t.x console.1 - - Logsplat test message 1") ==
        Parts{158, "2012-12-10T03:00:48.123456Z", "erlang", "t.x", "console.1", "-", "-",
              "Logsplat test message 1"});
  // without STRUCTURED-DATA
  CHECK(
      parse("<134>1 2012-12-10T03:00:48Z+00:00 erlang t.x console.1 - Logsplat test message 1 from <0.40.0>.")
          ->message == "Logsplat test message 1 from <0.40.0>.");
  CHECK(parse("<158>1 T h heroku router - at=info method=GET path=\"/\"\n")->message ==
        "at=info method=GET path=\"/\"\n");
  CHECK(parse("<13>1 T h a p - [meta seq=\"518\"] hello")->sd == "[meta seq=\"518\"]");
  CHECK(parse("<13>1 T h a p - [x@1 a=\"\\]\\\"\"][y b=\"c\"] hello")->sd ==
        "[x@1 a=\"\\]\\\"\"][y b=\"c\"]");
  CHECK(parse("<13>1 T h a p - [x@1 a=\"b\"]")->message == "");
  CHECK(parse("<40>3 2012-11-30T06:45:29+00:00 host app web.3 - State changed")->pri == 40);
}

TEST_CASE("a message that begins with a bracket stays whole") {
  for (const std::string m : {"[info] up", "[error]", "[1234] x", "[x] y=\"1\"", "[x a=b] c", "[x a=\"b] c",
                              "[", "[]", "[ ]", "[x@1 a=\"b\"]c", "-x", "--"}) {
    const auto parts = parse("<13>1 T h a p - " + m);
    REQUIRE(parts);
    CHECK(parts->sd == "-");
    CHECK(parts->message == m);
  }
}

TEST_CASE("empty messages, with and without structured data and newline") {
  CHECK(parse("<13>1 T h a p -")->message == "");
  CHECK(parse("<13>1 T h a p - ")->message == "");
  CHECK(parse("<13>1 T h a p - -")->message == "");
  CHECK(parse("<13>1 T h a p - - ")->message == "");
  CHECK(parse("<13>1 T h a p -\n")->message == "\n");
  CHECK(parse("<13>1 T h a p -\n")->msgid == "-");
  CHECK(parse("<13>1 T h a p - -\n")->message == "\n");
  CHECK(parse("<13>1 T h a p - -\n")->sd == "-");
}

TEST_CASE("what is no RFC 5424") {
  for (const auto* bad :
       {"", "hello", "<13>", "<13>1", "<13>1 T h a p", "<192>1 T h a p - m", "<999>1 T h a p - m",
        "<>1 T h a p - m", "<-1>1 T h a p - m", "<1a>1 T h a p - m", "<13>0 T h a p - m", "<13> T h a p - m",
        "<13>1  h a p - m x", "<13>1 T h a\np - m", "<13>1 T h \x01 p - m",
        "<13>Oct 11 22:14:15 host su: x y z", "<0013>1 T h a p - m"})
    CHECK_MESSAGE(!parse(bad), bad);
  CHECK_FALSE(parse("<13>1 T " + std::string(20'000, 'h') + " a p - m"));
  CHECK_FALSE(parse("<13>1 T h a p - [x@1 a=\"" + std::string(20'000, 'h') + "\"] m"));
}

TEST_CASE("every prefix and random damage agree with the slow twin") {
  std::mt19937 random(2);
  const std::string good[] = {
      "<158>1 2026-11-21T00:00:01.123456+00:00 host heroku router - at=info method=GET path=\"/\" x",
      "<13>1 T h a p - m\n", "<191>12 TTTTTTTTTTTTTTTTTTTT hhhhhhhhhhhhhhhhhhhhhh a p ID m m m m"};
  const auto agree = [](const std::string& frame) {
    CAPTURE(frame);
    auto fast = parse(frame);
    const auto slow = parse_slowly(frame);
    CHECK(fast.has_value() == slow.has_value());
    if (!fast || !slow) return;
    if (fast->sd != "-" || slow->message.starts_with('-')) return;  // structured data has its own cases
    fast->sd = "";
    CHECK(*fast == *slow);
  };
  for (const std::string& frame : good) {
    for (size_t n = 0; n <= frame.size(); ++n) agree(frame.substr(0, n));
    for (int i = 0; i < 20'000; ++i) {
      std::string damaged = frame;
      for (int k = int(random() % 3); k >= 0; --k) {
        const char bytes[] = " \n\x01<>1a\xff-";
        damaged[random() % damaged.size()] = bytes[random() % (sizeof bytes - 1)];
      }
      agree(damaged);
    }
  }
}
