#include "metrics/lines/line_time.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/time_text.h"

using namespace tailrace;

TEST_CASE("a line's time, and its arrival where it has none") {
  LineTime times;
  constexpr Micros kArrival = 42;
  CHECK(times.read("1970-01-01T00:00:01+00:00", kArrival) == 1'000'000);
  CHECK(times.read("1970-01-01T00:00:02.5+00:00", kArrival) == 2'500'000);
  CHECK(times.read("1970-01-01T00:00:59.999999999+00:00", kArrival) == 59'999'999);
  CHECK(times.read("1970-01-01T00:01:00Z", kArrival) == 60'000'000);
  CHECK(times.read("1970-01-01T01:00:00+01:00", kArrival) == 0);
  CHECK(times.read("1969-12-31T23:59:59Z", kArrival) == -1'000'000);
  for (const char* none : {"-", "", "1970-01-01T00:00:00", "1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z",
                           "1970-01-01T00:00:0Z", "1970-01-01T00:00:00+00:00Z",
                           "1970-01-01T00:00:00.1x+00:00", "1970-13-01T00:00:00Z", "Nov 21 00:00:00"}) {
    CAPTURE(std::string(none));
    CHECK(times.read(none, kArrival) == kArrival);
    CHECK(times.read("1970-01-01T00:00:07+00:00", kArrival) == 7'000'000);
    CHECK(times.read(none, kArrival) == kArrival);
  }
}

TEST_CASE("line times agree with parse_rfc3339, whatever was read before") {
  std::mt19937 random(6);
  LineTime times;
  std::string text = "2026-11-21T01:02:03.456789+00:00";
  const std::string kBytes = "0123456789+-:.TZtz ";
  const char* kZones[] = {"+00:00", "Z", "z", "-07:00", "+05:30", ""};
  for (int round = 0; round < 300'000; ++round) {
    switch (random() % 8) {
      case 0:
        text[random() % text.size()] = kBytes[random() % kBytes.size()];
        break;
      case 1:
        text = rfc3339_micros(static_cast<Micros>(1'700'000'000'000'000 + random() % 200'000'000));
        break;
      case 2:
        text = text.substr(0, 19) + '.' + std::to_string(random()) + kZones[random() % 6];
        break;
      case 3:
        text = text.substr(0, 19) + kZones[random() % 6];
        break;
      case 4:
        text.erase(random() % text.size(), 1);
        break;
      default:  // another second of the same minute
        if (text.size() > 18) text.replace(17, 2, std::to_string(10 + random() % 52));
        break;
    }
    if (text.size() < 12) text = "2026-11-21T01:02:03.456789+00:00";
    CAPTURE(text);
    REQUIRE(times.read(text, -1) == parse_rfc3339(text).value_or(-1));
  }
}
