// How long a login lasts, and with what it ends.

#include "web/logins.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>
#include <vector>

using namespace tailrace;
using namespace std::chrono_literals;

namespace {

const Logins::Account kReader{"reader", {.full_api = false, .any_channel = false, .read = {"7"}}};
const Logins::Account kAdmin{"admin", {.full_api = true, .any_channel = true, .read = {}}};
const Mono kStart{std::chrono::hours(1000)};

struct Fixture {
  Logins logins;
  std::string begin(const Logins::Account& account, Mono now = kStart) {
    return logins.begin(account, logins.removals(), now).value_or("");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "logins: a value opens what its credential may, and no other value does") {
  const std::string reader = begin(kReader), admin = begin(kAdmin);
  CHECK(reader.size() == 64);
  const auto found = logins.use(reader, kStart);
  REQUIRE(found);
  CHECK(found->user == "reader");
  CHECK(found->permissions.read == std::vector<std::string>{"7"});
  CHECK_FALSE(found->permissions.full_api);
  CHECK(logins.use(admin, kStart)->permissions.full_api);
  std::string close = reader;
  close.back() = close.back() == '0' ? '1' : '0';
  const std::string values[] = {
      "", "0", reader.substr(1), reader + "0", close, std::string(64, '0'), std::string(100'000, 'a')};
  for (const std::string& value : values) CHECK_FALSE(logins.use(value, kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: each has a value of its own") {
  std::set<std::string> values;
  for (size_t i = 0; i < Logins::kMostOfOne; ++i) values.insert(begin(kReader));
  CHECK(values.size() == Logins::kMostOfOne);
  for (const std::string& value : values) CHECK(logins.use(value, kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: 12 hours without use end one") {
  const std::string value = begin(kReader);
  CHECK(logins.use(value, kStart + 12h - 1ns));
  CHECK(logins.use(value, kStart + 24h - 2ns));  // from the last use on
  CHECK_FALSE(logins.use(value, kStart + 36h - 2ns));
  CHECK_FALSE(logins.use(value, kStart));  // for good
  CHECK(logins.size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "logins: 7 days end one that is used") {
  const std::string value = begin(kReader);
  for (auto at = 0h; at < 7 * 24h; at += 11h) CHECK(logins.use(value, kStart + at));
  CHECK(logins.use(value, kStart + 7 * 24h - 1ns));
  CHECK_FALSE(logins.use(value, kStart + 7 * 24h));
}

TEST_CASE_FIXTURE(Fixture, "logins: a use that was measured earlier and comes later shortens nothing") {
  const std::string value = begin(kReader, kStart + 1h);
  CHECK(logins.use(value, kStart));
  CHECK(logins.use(value, kStart + 13h - 1ns));
}

TEST_CASE_FIXTURE(Fixture, "logins: signing out ends one and no other of the same credential") {
  const std::string value = begin(kReader), other = begin(kReader);
  logins.end(value);
  logins.end(value);
  logins.end("nonsense");
  CHECK_FALSE(logins.use(value, kStart));
  CHECK(logins.use(other, kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: a credential's all go with it, also if it is made anew") {
  const std::string one = begin(kReader), two = begin(kReader), admin = begin(kAdmin);
  const Logins::AccountPtr held = logins.use(one, kStart);
  logins.credential_removed("reader");
  CHECK_FALSE(logins.use(one, kStart));
  CHECK_FALSE(logins.use(two, kStart));
  CHECK(logins.use(admin, kStart));
  const std::string anew = begin({"reader", {.full_api = false, .any_channel = false, .read = {"8"}}});
  CHECK_FALSE(logins.use(one, kStart));
  CHECK(logins.use(anew, kStart)->permissions.read == std::vector<std::string>{"8"});
  CHECK(held->permissions.read == std::vector<std::string>{"7"});  // whoever is at it goes on
}

TEST_CASE_FIXTURE(Fixture, "logins: a password that was judged before a removal is judged again") {
  const uint64_t before = logins.removals();
  logins.credential_removed("reader");
  CHECK_FALSE(logins.begin(kReader, before, kStart));
  CHECK(logins.size() == 0);
  CHECK(logins.begin(kReader, logins.removals(), kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: the oldest goes for one too many") {
  std::vector<std::string> values;
  for (size_t i = 0; i < Logins::kMost + 3; ++i)
    values.push_back(begin({"user " + std::to_string(i % 200), {}}));  // fifty each
  CHECK(logins.size() == Logins::kMost);
  for (size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    REQUIRE((logins.use(values[i], kStart) != nullptr) == (i >= 3));
  }
}

TEST_CASE_FIXTURE(Fixture, "logins: who signs in too often ends his own, and nobody else's") {
  const std::string admin = begin(kAdmin), first = begin(kReader), second = begin(kReader);
  for (size_t i = 2; i <= Logins::kMostOfOne; ++i) begin(kReader);
  CHECK(logins.size() == 1 + Logins::kMostOfOne);
  CHECK(logins.use(admin, kStart));
  CHECK_FALSE(logins.use(first, kStart));
  CHECK(logins.use(second, kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: a sweep takes what is over and nothing else") {
  const std::string idle = begin(kReader), used = begin(kReader), young = begin(kAdmin, kStart + 11h);
  CHECK(logins.use(used, kStart + 11h));
  logins.sweep(kStart + 12h - 1ns);
  CHECK(logins.size() == 3);
  logins.sweep(kStart + 13h);
  CHECK(logins.size() == 2);
  CHECK(logins.use(used, kStart + 13h));
  CHECK(logins.use(young, kStart + 13h));
  logins.sweep(kStart + 26h);
  CHECK(logins.size() == 0);
  CHECK_FALSE(logins.use(used, kStart));
}

TEST_CASE_FIXTURE(Fixture, "logins: threads that sign in, out, look and remove at once") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const Logins::Account own{"user" + std::to_string(t),
                                {.full_api = false, .any_channel = false, .read = {"1"}}};
      for (int i = 0; i < 2000; ++i) {
        const std::string value = begin(i % 2 ? own : kReader, kStart + i * 1s);
        if (const auto found = logins.use(value, kStart + i * 1s))
          CHECK(found->permissions.may_read(i % 2 ? "1" : "7"));
        if (i % 3 == 0) logins.end(value);
        if (i % 50 == 0) logins.credential_removed("reader");
        logins.sweep(kStart + i * 1s);
      }
    });
  for (std::thread& thread : threads) thread.join();
  logins.credential_removed("reader");
  for (int t = 0; t < 4; ++t) logins.credential_removed("user" + std::to_string(t));
  CHECK(logins.size() == 0);
}
