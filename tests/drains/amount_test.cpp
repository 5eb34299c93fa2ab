#include "drains/amount.h"

#include <doctest/doctest.h>

#include <string>

using namespace tailrace;
using Kind = Amount::Kind;

namespace {

double value_of(std::string_view text, Kind kind) {
  const std::optional<Amount> amount = parse_amount(text);
  REQUIRE_MESSAGE(amount, text);
  CHECK(amount->kind == kind);
  return amount->value;
}

}  // namespace

TEST_CASE("a number of 100 bytes is one, of 101 none") {
  CHECK(parse_amount(std::string(100, '0')).has_value());
  CHECK_FALSE(parse_amount(std::string(101, '0')).has_value());
}

TEST_CASE("numbers with their units") {
  CHECK(value_of("503", Kind::plain) == 503);
  CHECK(value_of("+1.5", Kind::plain) == 1.5);
  CHECK(value_of("-.5", Kind::plain) == -0.5);
  CHECK(value_of("1e3", Kind::plain) == 1000);
  CHECK(value_of("12345678901234567890", Kind::plain) == 12345678901234567890.0);
  CHECK(value_of("7us", Kind::time) == 7);
  CHECK(value_of("1.5ms", Kind::time) == 1500);
  CHECK(value_of("2s", Kind::time) == 2e6);
  CHECK(value_of("1.5m", Kind::time) == 90e6);
  CHECK(value_of("1h", Kind::time) == 3600e6);
  CHECK(value_of("1e-3s", Kind::time) == 1000);
  CHECK(value_of("3B", Kind::bytes) == 3);
  CHECK(value_of("3kB", Kind::bytes) == 3072);
  CHECK(value_of("3KB", Kind::bytes) == 3072);
  CHECK(value_of("21.25MB", Kind::bytes) == 21.25 * 1048576);
  CHECK(value_of("2GB", Kind::bytes) == 2147483648.0);
  CHECK(parse_amount("21.25MB")->number == 21.25);
}

TEST_CASE("equal amounts are equal in every unit") {
  for (int i = 1; i < 100'000; ++i) {
    const std::string thousandths =
        std::to_string(i / 1000) + "." + std::to_string(1000 + i % 1000).substr(1);
    REQUIRE(parse_amount(thousandths + "s")->value == parse_amount(std::to_string(i) + "ms")->value);
    REQUIRE(parse_amount(thousandths + "ms")->value == parse_amount(std::to_string(i) + "us")->value);
  }
}

TEST_CASE("what is no number") {
  for (const char* text : {"",      "-",      ".",   "s",   "1 s", " 1",    "1S",  "1Ms", "1mb", "0x10",
                           "1,234", "1.2.3s", "NaN", "inf", "1e",  "1e999", "--1", "+-1", "1d",  "1%"})
    CHECK_FALSE_MESSAGE(parse_amount(text), text);
}
