#include "drains/certificate_notice.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("L14: when an outage begins with it, when the reason is another one, and once an hour") {
  CertificateNotice notice;
  constexpr Micros hour = 3'600'000'000;
  const NetFailure expired{NetErrc::certificate, "tls: certificate has expired"},
      mismatch{NetErrc::certificate, "tls: host name mismatch"},
      refused{NetErrc::connect, "connect: refused"};
  Micros now = 1'700'000'000'000'000;
  const auto told = [&](const NetFailure& failure, bool begins = false) {
    return notice.failed(failure, "https://logs.example.com/\"", begins, now).value_or("");
  };
  CHECK(told(refused, true).empty());
  CHECK(told(expired, true) ==
        "2023-11-14T22:13:20.000000+00:00 heroku[logplex]: Error L14 (certificate validation): "
        "error=\"certificate has expired\" uri=\"https://logs.example.com/%22\"");
  CHECK(told(expired).empty());
  CHECK(told(refused).empty());
  CHECK(told(expired).empty());
  CHECK_FALSE(told(mismatch).empty());
  CHECK(told(mismatch).empty());
  CHECK_FALSE(told(expired).empty());
  now += hour - 1;
  CHECK(told(expired).empty());
  now += 1;
  CHECK_FALSE(told(expired).empty());
  CHECK(told(expired).empty());
  CHECK_FALSE(told(expired, true).empty());
}
