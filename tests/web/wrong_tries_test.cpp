// How often an address may be wrong.

#include "web/wrong_tries.h"

#include <doctest/doctest.h>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

const Mono kStart{std::chrono::hours(1000)};

struct Fixture {
  WrongTries tries;
  /// What is to be waited; zero: it was judged, and was wrong.
  std::chrono::nanoseconds wrong(const char* from, Mono now) {
    return tries.take(asio::ip::make_address(from), now);
  }
  /// Until there is no more to be had.
  size_t left(const char* from, Mono now) {
    size_t count = 0;
    while (wrong(from, now) == 0ns) REQUIRE(++count <= 100);
    return count;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "wrong tries: 20 within any minute, and each comes back a minute later") {
  for (int i = 0; i < 20; ++i) CHECK(wrong("192.0.2.1", kStart + i * 1s) == 0ns);
  CHECK(wrong("192.0.2.1", kStart + 20s) == 40s);
  CHECK(wrong("192.0.2.1", kStart + 60s - 1ns) == 1ns);
  CHECK(wrong("192.0.2.1", kStart + 60s) == 0ns);
  CHECK(wrong("192.0.2.1", kStart + 60s) == 1s);  // who waits is not counted
  CHECK(left("192.0.2.1", kStart + 63s) == 3);
  CHECK(left("192.0.2.1", kStart + 10min) == 20);
}

TEST_CASE_FIXTURE(Fixture, "wrong tries: right ones do not count, and forgive no others") {
  for (int i = 0; i < 100; ++i) {
    REQUIRE(wrong("192.0.2.1", kStart) == 0ns);
    tries.give_back(asio::ip::make_address("192.0.2.1"));
  }
  for (int i = 0; i < 19; ++i) CHECK(wrong("192.0.2.1", kStart) == 0ns);
  CHECK(wrong("192.0.2.1", kStart) == 0ns);
  tries.give_back(asio::ip::make_address("192.0.2.1"));
  tries.give_back(asio::ip::make_address("192.0.2.9"));  // nobody
  CHECK(left("192.0.2.1", kStart) == 1);
}

TEST_CASE_FIXTURE(Fixture, "wrong tries: by address, by network of 64 bits, and mapped ones are the same") {
  CHECK(left("192.0.2.1", kStart) == 20);
  CHECK(left("192.0.2.2", kStart) == 20);
  CHECK(left("::ffff:192.0.2.1", kStart) == 0);
  CHECK(left("::ffff:192.0.2.3", kStart) == 20);
  CHECK(left("192.0.2.3", kStart) == 0);
  CHECK(left("2001:db8:1:2::1", kStart) == 20);
  CHECK(left("2001:db8:1:2:ffff:ffff:ffff:ffff", kStart) == 0);
  CHECK(left("2001:db8:1:3::1", kStart) == 20);
  CHECK(left("fe80::1%1", kStart) == 20);
  CHECK(left("fe80::1%2", kStart) == 0);
}

TEST_CASE_FIXTURE(Fixture, "wrong tries: of too many addresses the one that was longest quiet is forgotten") {
  const auto address = [](size_t i) {
    return asio::ip::address(asio::ip::address_v4(uint32_t(0x0a000000 + i))).to_string();
  };
  for (size_t i = 0; i < WrongTries::kAddresses; ++i)
    for (int n = 0; n < 19; ++n) wrong(address(i).c_str(), kStart + i * 1us);
  wrong(address(0).c_str(), kStart + 1s);  // not quiet
  CHECK(left("192.0.2.1", kStart + 1s) == 20);
  CHECK(left(address(0).c_str(), kStart + 1s) == 0);
  CHECK(left(address(2).c_str(), kStart + 1s) == 1);
  CHECK(left(address(1).c_str(), kStart + 1s) == 20);
}
