#include "metrics/lines/quantity.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>

#include "tests/metrics/quantity_twin.h"

using namespace tailrace;

namespace {

// The unit is a view into `text`.
std::optional<Quantity> parsed(std::string_view text) {
  const auto quantity = parse_quantity(text);
  const auto twin = quantity_slowly(std::string(text));
  CAPTURE(std::string(text));
  REQUIRE(quantity.has_value() == twin.has_value());
  if (quantity) {
    REQUIRE(quantity->unit == twin->unit);
    REQUIRE(twin_same(quantity->value, twin->value));
    REQUIRE_FALSE((quantity->value == 0 && std::signbit(quantity->value)));
  }
  return quantity;
}

}  // namespace

TEST_CASE("quantities with their units") {
  const struct {
    const char* text;
    double value;
    const char* unit;
  } cases[] = {
      {"4", 4, ""},
      {"-4", -4, ""},
      {"+4", 4, ""},
      {"-0", 0, ""},
      {"0.1", 0.1, ""},
      {"5.", 5, ""},
      {".5", 0.5, ""},
      {"1e3", 1000, ""},
      {"1E+3", 1000, ""},
      {"-1.5e-3", -0.0015, ""},
      {"1e22", 0, "absent"},
      {"9007199254740992", 9007199254740992, ""},
      {"-9007199254740992", -9007199254740992, ""},
      {"9007199254740993", 9007199254740992, ""},
      {"9007199254740994", 0, "absent"},
      {"-9007199254740994", 0, "absent"},
      {"1e308", 0, "absent"},
      {"1e999", 0, "absent"},
      {"1e-400", 0, "absent"},
      {"1e-310", 1e-310, ""},
      {"0.12345678901234567890", 0.12345678901234567890, ""},
      {"00000000000000000000000000000007", 7, ""},
      // Time.
      {"4ms", 0.004, "seconds"},
      {"0.1ms", 0.0001, "seconds"},
      {"0.3ms", 0.0003, "seconds"},
      {"1452ms", 1.452, "seconds"},
      {"7us", 0.000007, "seconds"},
      {"7\u00b5s", 0.000007, "seconds"},
      {"7\u03bcs", 0.000007, "seconds"},
      {"13ns", 0.000000013, "seconds"},
      {"1.23456789012345ns", 1.23456789012345e-9, "seconds"},
      {"100000000000000000ns", 100000000, "seconds"},
      {"3s", 3, "seconds"},
      {"3sec", 3, "seconds"},
      {"1.5m", 90, "seconds"},
      {"2min", 120, "seconds"},
      {"0.1h", 360, "seconds"},
      {"-3s", -3, "seconds"},
      {"1e3ms", 1, "seconds"},
      // Bytes.
      {"12B", 12, "bytes"},
      {"1byte", 1, "bytes"},
      {"26219348792bytes", 26219348792, "bytes"},
      {"247529644.0bytes", 247529644, "bytes"},
      {"1692568kB", 1733189632, "bytes"},
      {"15405636.0kB", 15775371264, "bytes"},
      {"1KB", 1024, "bytes"},
      {"1KiB", 1024, "bytes"},
      {"512.00MB", 536870912, "bytes"},
      {"154.85MB", 162371993.6, "bytes"},
      {"1MiB", 1048576, "bytes"},
      {"1GB", 1073741824, "bytes"},
      {"1GiB", 1073741824, "bytes"},
      {"1TB", 1099511627776, "bytes"},
      {"1TiB", 1099511627776, "bytes"},
      {"8192TB", 9007199254740992, "bytes"},
      {"8193TB", 0, "absent"},
      // Others, as they stand.
      {"348836pages", 348836, "pages"},
      {"99.5%", 99.5, "%"},
      {"5req/min", 5, "req/min"},
      {"5_", 5, "_"},
      {"3x", 3, "x"},
      {"0x", 0, "x"},
      {"5e", 5, "e"},
      {"5eggs", 5, "eggs"},
      {"1MS", 1, "MS"},
      {"1mb", 1, "mb"},
      {"20\u00b0C", 20, "\u00b0C"},
      {"5\u20ac", 5, "\u20ac"},
      {"5abcdefghijklmnopqrstuvwxyzabcdef", 5, "abcdefghijklmnopqrstuvwxyzabcdef"},
      {"5abcdefghijklmnopqrstuvwxyzabcdefg", 0, "absent"},
      // With a blank, as in quotes.
      {"7 ms", 0.007, "seconds"},
      {"7 pages", 7, "pages"},
      {"7e3 ms", 7, "seconds"},
      // Not numbers.
      {"7  ms", 0, "absent"},
      {"7\tms", 0, "absent"},
      {" 7ms", 0, "absent"},
      {"7ms ", 0, "absent"},
      {"7 ", 0, "absent"},
      {"", 0, "absent"},
      {"-", 0, "absent"},
      {"+", 0, "absent"},
      {".", 0, "absent"},
      {"-.", 0, "absent"},
      {"--4", 0, "absent"},
      {"+-4", 0, "absent"},
      {"- 4", 0, "absent"},
      {"abc", 0, "absent"},
      {"ms", 0, "absent"},
      {".ms", 0, "absent"},
      {"e3", 0, "absent"},
      {"NaN", 0, "absent"},
      {"nan", 0, "absent"},
      {"inf", 0, "absent"},
      {"-inf", 0, "absent"},
      {"Infinity", 0, "absent"},
      {"0x10", 0, "absent"},
      {"0xff", 0, "absent"},
      {"-0Xff", 0, "absent"},
      {"1,234", 0, "absent"},
      {"1.2.3s", 0, "absent"},
      {"1..2", 0, "absent"},
      {"5ms2", 0, "absent"},
      {"5 m s", 0, "absent"},
      {"1e+", 0, "absent"},
      {"12:30", 0, "absent"},
      {"2026-11-21", 0, "absent"},
      {"5\"", 0, "absent"},
      {"5'", 0, "absent"},
      {"5\x80", 0, "absent"},
      {"5\xc2", 0, "absent"},
      {"5\x7f", 0, "absent"},
      {"5\n", 0, "absent"},
  };
  for (const auto& c : cases) {
    const auto quantity = parsed(c.text);
    CAPTURE(std::string(c.text));
    if (std::string(c.unit) == "absent") {
      CHECK_FALSE(quantity);
      continue;
    }
    REQUIRE(quantity);
    CHECK(quantity->value == c.value);
    CHECK(quantity->unit == c.unit);
  }
}

TEST_CASE("a decimal is the nearest double, and so is a time of up to 15 digits and 13 places") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100'000; ++round) {
    std::string text = std::to_string(random() % 1'000'000'000'000'000 >> random() % 50);
    text.insert(std::max(random() % (text.size() + 1), std::max<size_t>(text.size(), 13) - 13), ".");
    CAPTURE(text);
    REQUIRE(parse_quantity(text)->value == std::strtod(text.c_str(), nullptr));
    REQUIRE(parse_quantity(text + "ms")->value == std::strtod((text + "e-3").c_str(), nullptr));
    REQUIRE(parse_quantity(text + "us")->value == std::strtod((text + "e-6").c_str(), nullptr));
    REQUIRE(parse_quantity(text + "ns")->value == std::strtod((text + "e-9").c_str(), nullptr));
    REQUIRE(parse_seconds(text) == std::strtod((text + "e-3").c_str(), nullptr));
  }
  for (int round = 0; round < 20'000; ++round) {
    char text[64];
    const double value = std::ldexp(static_cast<double>(random() >> 11), -static_cast<int>(random() % 80));
    std::snprintf(text, sizeof text, "%.17g", value);
    CAPTURE(std::string(text));
    const auto quantity = parse_quantity(text);
    REQUIRE(quantity.has_value() == (value <= kLargestQuantity));
    if (quantity) REQUIRE(quantity->value == value);
  }
}

TEST_CASE("quantities agree with their slow twin on random texts") {
  std::mt19937 random(2);
  const std::string kPieces[] = {"0",  "1", "5",  "9",  "12", "000",  "123456789", ".",   ".",     "-",
                                 "+",  "e", "E",  "e3", "e-", "ms",   "us",        "s",   "m",     "h",
                                 "kB", "B", "MB", " ",  " ",  "%",    "/",         "x",   "pages", "_",
                                 ",",  "=", "\"", "µ",  "é",  "\xc3", "\xa9",      "inf", "nan",   "e300"};
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (size_t n = random() % 6; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    parsed(text);
  }
}
