// What a link says, and that nobody but we can write one.

#include "web/links.h"

#include <doctest/doctest.h>

#include <map>

using namespace tailrace;

namespace {

const std::string kKey(32, 'k');
constexpr Micros kNow = 1'790'000'000'000'000;

Link some_link() {
  Link link;
  link.channel = 7;
  link.channel_id = "shop \xC3\xBC/1";
  link.credential = "ops";
  link.expires = kNow + 60'000'000;
  link.time = {"2h", "0s", "1m"};
  link.names = {"router.service", "", "a,b"};
  link.sources = {""};
  link.show = {Figure::p95, Figure::median};
  return link;
}

/// Who there is, by id.
using Hashes = std::map<std::string, std::string, std::less<>>;
const Hashes kOps{{"ops", "hash of its password"}};

Links::Opened open(const Links& links, std::string_view text, const Hashes& hashes = kOps,
                   Micros now = kNow) {
  return links.open(
      text,
      [&](std::string_view id) {
        const auto found = hashes.find(id);
        return found == hashes.end() ? std::nullopt : std::optional(found->second);
      },
      now);
}

}  // namespace

TEST_CASE("a link says what was put into it") {
  const Links links(kKey);
  const Link link = some_link();
  const auto text = links.sign(link, kOps.at("ops"));
  REQUIRE(text.has_value());
  CHECK(text->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        text->npos);
  const auto [verdict, read] = open(links, *text);
  REQUIRE(verdict == Links::Verdict::good);
  CHECK(read.channel == link.channel);
  CHECK(read.channel_id == link.channel_id);
  CHECK(read.credential == link.credential);
  CHECK(read.expires == link.expires);
  CHECK(read.time.from == "2h");
  CHECK(read.time.to == "0s");
  CHECK(read.time.step == "1m");
  CHECK(read.names == link.names);
  CHECK(read.sources == link.sources);
  CHECK(read.show == link.show);
}

TEST_CASE("a link ends when it says") {
  const Links links(kKey);
  const std::string text = *links.sign(some_link(), kOps.at("ops"));
  CHECK(open(links, text, kOps, kNow + 59'999'999).verdict == Links::Verdict::good);
  CHECK(open(links, text, kOps, kNow + 60'000'000).verdict == Links::Verdict::over);
}

TEST_CASE("another key, another password and nobody at all open nothing") {
  const Links links(kKey), others(std::string(32, 'o'));
  const std::string text = *links.sign(some_link(), kOps.at("ops"));
  CHECK(open(others, text).verdict == Links::Verdict::unknown);
  CHECK(open(links, text, {{"ops", "hash of another"}}).verdict == Links::Verdict::unknown);
  CHECK(open(links, text, {{"other", kOps.at("ops")}}).verdict == Links::Verdict::unknown);
  CHECK(open(links, text, {}).verdict == Links::Verdict::unknown);
  // Also when it is over: who did not have it learns nothing.
  CHECK(open(others, text, kOps, kNow + 90'000'000).verdict == Links::Verdict::unknown);
}

TEST_CASE("a link of which any character is another, is missing or is one too many opens nothing") {
  const Links links(kKey);
  const std::string text = *links.sign(some_link(), kOps.at("ops"));
  constexpr std::string_view kAll = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= %\n";
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    for (const char c : kAll) {
      if (c == text[i]) continue;
      changed[i] = c;
      CHECK(open(links, changed).verdict == Links::Verdict::unknown);
    }
    CHECK(open(links, std::string(text).erase(i, 1)).verdict == Links::Verdict::unknown);
    CHECK(open(links, text.substr(0, i)).verdict == Links::Verdict::unknown);
    CHECK(open(links, std::string(text).insert(i, "A")).verdict == Links::Verdict::unknown);
  }
  for (const char c : kAll) CHECK(open(links, text + c).verdict == Links::Verdict::unknown);
  CHECK(open(links, text + text).verdict == Links::Verdict::unknown);
  CHECK(open(links, std::string(100'000, 'A')).verdict == Links::Verdict::unknown);
}

TEST_CASE("what one link is signed for cannot be cut out for another") {
  const Links links(kKey);
  Link one = some_link(), other = some_link();
  one.names = {"ab"};
  one.sources = {"c"};
  other.names = {"a"};
  other.sources = {"bc"};
  CHECK(*links.sign(one, "h") != *links.sign(other, "h"));
  other = some_link();
  other.channel = 8;
  const std::string a = *links.sign(some_link(), kOps.at("ops")), b = *links.sign(other, kOps.at("ops"));
  const size_t mac = 42;  // about: 32 bytes
  CHECK(open(links, a.substr(0, a.size() - mac) + b.substr(b.size() - mac)).verdict ==
        Links::Verdict::unknown);
}

TEST_CASE("a link is bounded") {
  const Links links(kKey);
  Link link = some_link();
  link.names.assign(7, std::string(255, 'x'));
  const auto text = links.sign(link, "h");
  REQUIRE(text.has_value());
  CHECK(open(links, *text, {{"ops", "h"}}).verdict == Links::Verdict::good);
  link.names.assign(8, std::string(255, 'x'));
  CHECK_FALSE(links.sign(link, "h").has_value());
  link.names.assign(100'000, "");
  CHECK_FALSE(links.sign(link, "h").has_value());
}
