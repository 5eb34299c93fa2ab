#include "base/text.h"

#include <doctest/doctest.h>

#include "base/ids.h"
#include "base/time_text.h"

using namespace tailrace;
using namespace std::chrono_literals;

TEST_CASE("RFC 3339 goes out and comes back") {
  const Micros t = 1'700'000'000'123'456;
  CHECK(rfc3339_micros(t) == "2023-11-14T22:13:20.123456+00:00");
  CHECK(rfc3339_seconds(t) == "2023-11-14T22:13:20+00:00");
  CHECK(rfc3339_json(t) == "2023-11-14T22:13:20.123Z");
  CHECK(parse_rfc3339(rfc3339_micros(t)) == t);
  CHECK(parse_rfc3339("2023-11-14T14:13:20.123456789-08:00") == t);
  CHECK(parse_rfc3339("2023-11-14T22:13:20Z") == t - 123'456);
  for (const auto* bad :
       {"", "-", "2023-11-14", "2023-13-14T22:13:20Z", "2023-02-30T22:13:20Z", "2023-11-14T22:13:20",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx", "2012-12-10T03:00:48Z+00:00"})
    CHECK_MESSAGE(!parse_rfc3339(bad), bad);
}

TEST_CASE("durations and sizes of the configuration") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("7d") == 168h);
  for (const auto* bad : {"", "5", "s", "-5s", "5 s", "5S", "99999999999999999999s", "9999999999999999d"})
    CHECK_MESSAGE(!parse_duration(bad), bad);
  CHECK(parse_size("64K") == 65536u);
  CHECK(parse_size("8M") == 8u << 20);
  CHECK(parse_size("12") == 12u);
  for (const auto* bad : {"", "K", "-1", "5k", "5KB", "99999999999999T"})
    CHECK_MESSAGE(!parse_size(bad), bad);
  CHECK(duration_text(252s) == "4m12s");
  CHECK(duration_text(60s) == "1m");
  CHECK(duration_text(350ms) == "350ms");
  CHECK(duration_text(3780s) == "1h3m");
}

TEST_CASE("base64, percent, ids") {
  for (const std::string s : {"", "a", "ab", "abc", "token:t.x"}) CHECK(from_base64(to_base64(s)) == s);
  CHECK(to_base64("ab") == "YWI=");
  for (const auto* bad : {"a", "YW=I", "YWI", "=YWI", "YW I", "YWI=YWI="})
    CHECK_MESSAGE(!from_base64(bad), bad);
  CHECK(percent_decoded("a%41%2f%zz%4") == "aA/%zz%4");
  CHECK(new_uuid().size() == 36);
  CHECK(new_uuid() != new_uuid());
  CHECK(new_uuid()[14] == '4');
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST_CASE("UTF-8") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"));
  for (const char* text :
       {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe2\x82", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"})
    CHECK_FALSE(is_utf8(text));
}
