#include "drains/pairs.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "metrics/lines/router_line.h"

using namespace tailrace;

TEST_CASE("a text is found where it begins") {
  std::mt19937 random(3);
  for (int i = 0; i < 100'000; ++i) {
    std::string text, needle;
    for (size_t n = random() % 70; n-- > 0;) text += char('a' + random() % 3);
    for (size_t n = 1 + random() % 6; n-- > 0;) needle += char('a' + random() % 3);
    const size_t from = random() % 3 ? 0 : random() % 72;
    CAPTURE(text);
    CAPTURE(needle);
    CAPTURE(from);
    REQUIRE(find_text(text, needle, from) == text.find(needle, from));
  }
  const std::string long_needle(40, 'x');
  CHECK(find_text("y" + long_needle + "y", long_needle) == 1);
}

TEST_CASE("pairs by the rules of metrics/lines/pair_walk.h") {
  CHECK(find_pair("a=1 b=2", "b=") == "2");
  CHECK(find_pair("a=1 a=2", "a=") == "1");
  CHECK(find_pair("a= a=2", "a=") == "");
  CHECK_FALSE(find_pair("xa=1", "a="));
  CHECK_FALSE(find_pair("x=a=1", "a="));
  CHECK_FALSE(find_pair(R"(x="1 a=1")", "a="));
  CHECK(find_pair(R"(x="1 a=1" a=2)", "a=") == "2");
  CHECK_FALSE(find_pair(R"(x="1"a=1)", "a="));
  CHECK(find_pair(R"(x="\" a=1" a=2)", "a=") == "2");
  CHECK(find_pair(R"(x="\\" a=1" a=2)", "a=") == "1\"");
  CHECK_FALSE(find_pair(R"(x="1 a=1)", "a="));
  CHECK(find_pair(R"(a=1 x="1 a=2)", "a=") == "1");
  CHECK_FALSE(find_pair(R"(a="1)", "a="));
  CHECK(find_pair(R"(a="1 2"3)", "a=") == "1 2");
  CHECK(find_pair(R"(="x a=1)", "a=") == "1");
  CHECK(find_pair(R"(x=y="z a=1)", "a=") == "1");
  CHECK(find_pair(R"("x"="z a=1)", "a=") == "1");
  CHECK(find_pair("\x01"
                  "a=1\x1f",
                  "a=") == "1");
}

TEST_CASE("the metrics' scanner finds the same") {
  constexpr struct {
    RouterName name;
    const char* key;
  } kNames[] = {{RouterName::status, "status="},   {RouterName::connect, "connect="},
                {RouterName::service, "service="}, {RouterName::wait, "wait="},
                {RouterName::queue, "queue="},     {RouterName::bytes, "bytes="}};
  const char* const kPieces[] = {"status=", "service=", "connect=", "wait=", "queue=",   "bytes=", "\"",
                                 "\"",      "\\",       " ",        " ",     " ",        "=",      "x",
                                 "7",       "503",      "18ms",     "a=\"",  "path=\"/", "\n",     "\x7f"};
  std::mt19937 random(5);
  size_t found = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string line;
    for (size_t n = random() % 24; n-- > 0;) line += kPieces[random() % std::size(kPieces)];
    const RouterLine scanned = scan_router_line(line);
    CAPTURE(line);
    for (const auto& [name, key] : kNames) {
      const auto value = find_pair(line, key);
      REQUIRE(value.has_value() == scanned.has(name));
      found += value.has_value();
    }
    const auto service = find_pair(line, "service="), queue = find_pair(line, "queue=");
    REQUIRE(scanned.service == (service ? parse_seconds(*service) : kAbsent));
    REQUIRE(scanned.queue == (queue ? parse_plain(*queue) : kAbsent));
  }
  CHECK(found > 100'000);
}
