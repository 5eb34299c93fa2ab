#include "metrics/lines/pair_walk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/metrics/pair_twin.h"

using namespace tailrace;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// All pairs of a text, by both walks and the twin, which must agree. In memory of exactly its size, so that a
// sanitizer sees every byte read beyond it.
Pairs pairs_of(std::string_view text) {
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  std::memcpy(exact.get(), text.data(), text.size());
  const char* end = exact.get() + text.size();
  Pairs fast, portably;
  std::string_view value;
  walk_pairs({exact.get(), text.size()}, kEveryName, [&](const char* equal) {
    const std::string_view name = pair_name(exact.get(), equal);
    if (!name.empty() && read_value(equal + 1, end, value)) fast.emplace_back(name, value);
    return 0;
  });
  walk_pairs_portably({exact.get(), text.size()}, [&](std::string_view name, const char* at) {
    if (read_value(at, end, value)) portably.emplace_back(name, value);
  });
  CAPTURE(std::string(text));
  REQUIRE(fast == portably);
  REQUIRE(fast == twin_pairs(std::string(text)));
  return fast;
}

}  // namespace

TEST_CASE("logfmt's corner cases, as they are read here") {
  const struct {
    std::string line;
    Pairs pairs;
  } cases[] = {
      {"a=", {{"a", ""}}},
      {"a= b=2", {{"a", ""}, {"b", "2"}}},
      {"d", {}},
      {"=a", {}},
      {"==a", {}},
      {"a==b", {{"a", "=b"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"path=/a?b=c&d=e x=1", {{"path", "/a?b=c&d=e"}, {"x", "1"}}},
      {R"(a="b=c")", {{"a", "b=c"}}},
      {R"(a=b"c")", {{"a", R"(b"c")"}}},
      {R"(a"b"=c)", {}},
      {R"("a"=b)", {}},
      {R"(a="b"c=d)", {{"a", "b"}}},
      {R"(a="b"c=d e=f)", {{"a", "b"}, {"e", "f"}}},
      {R"(x=1 a="unterm)", {{"x", "1"}}},
      {R"(x=1 a="unterm y=2)", {{"x", "1"}}},
      {R"(a="\"" b="\\" c="\/\'\n\u00e9")", {{"a", R"(\")"}, {"b", R"(\\)"}, {"c", R"(\/\'\n\u00e9)"}}},
      {R"(a="\x41" b=1)", {{"a", R"(\x41)"}, {"b", "1"}}},
      {"a=\"x\ny\" b=1", {{"a", "x\ny"}, {"b", "1"}}},
      {"a=\"\xff\xfe\" b=\xff", {{"a", "\xff\xfe"}, {"b", "\xff"}}},
      {std::string("a=1\0b=2", 7), {{"a", "1"}, {"b", "2"}}},
      {"{\"json\":\"k=v\"}", {}},
      {"a='b c'", {{"a", "'b"}}},
      {"#a=1", {{"#a", "1"}}},
      {"\xc3\xa9=1", {{"\xc3\xa9", "1"}}},
      {"a=1 a=2", {{"a", "1"}, {"a", "2"}}},
  };
  for (const auto& c : cases) CHECK(pairs_of(c.line) == c.pairs);
}

TEST_CASE("pairs and quotes at any offset to the blocks of the vector code") {
  for (size_t pad = 0; pad < 1100; ++pad) {
    const std::string filler(pad, ' ');
    CHECK(pairs_of(filler + R"(a="b \" c=d" e=f)") == Pairs{{"a", R"(b \" c=d)"}, {"e", "f"}});
    CHECK(pairs_of("a=\"" + filler + "b=c\" d=e") == Pairs{{"a", filler + "b=c"}, {"d", "e"}});
    CHECK(pairs_of("a=x" + std::string(pad, 'x') + "\" b=c").back() ==
          std::pair<std::string, std::string>("b", "c"));
  }
}

TEST_CASE("texts of nothing but marks") {
  for (const char c : {'=', '"', '\\', ' ', 'a'})
    for (const size_t size : {0, 1, 15, 16, 63, 64, 65, 511, 512, 513, 1024, 10'000})
      CHECK(pairs_of(std::string(size, c)).empty());
  CHECK(pairs_of("a=" + std::string(2000, '=')).size() == 1);
  CHECK(pairs_of("a=\"" + std::string(2000, '\\') + "\" b=c").size() == 2);
}

TEST_CASE("the walks agree with their slow twin on random texts") {
  std::mt19937 random(7);
  const std::string_view kBytes = "==\"\"\\  ab\n";
  for (int round = 0; round < 40'000; ++round) {
    std::string text;
    for (size_t n = random() % 90; n > 0; --n) {
      if (random() % 12 == 0)
        text.append(random() % 80, "x ="[random() % 3]);
      else
        text += kBytes[random() % kBytes.size()];
    }
    pairs_of(text);
  }
}

TEST_CASE("all forms find the marks that matter, and at most all") {
  std::mt19937 random(8);
  const std::string_view kBytes = "==\"s=t=eobx=\xf3 \xff\x05";
  constexpr NameEnds kEnds = name_ends("seotb");
  for (int round = 0; round < 20'000; ++round) {
    std::string text(1 + random() % kMarkReach, ' ');
    const bool dense = random() % 2;
    for (char& c : text)
      if (dense || random() % 16 == 0) c = kBytes[random() % kBytes.size()];
    std::vector<uint16_t> all, wanted;
    for (size_t i = 1; i < text.size(); ++i) {
      if (text[i] != '=' && text[i] != '"') continue;
      all.push_back(static_cast<uint16_t>(i - 1));
      if (text[i] == '"' || std::string_view("seotb").find(text[i - 1]) != std::string_view::npos)
        wanted.push_back(all.back());
    }
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    std::memcpy(exact.get(), text.data(), text.size());
    CAPTURE(text);
    for (const FindMarks find : find_marks_forms()) {
      Marks marks;
      size_t count = find(exact.get() + 1, text.size() - 1, kEveryName, marks);
      REQUIRE(std::vector<uint16_t>(marks.begin(), marks.begin() + static_cast<ptrdiff_t>(count)) == all);
      count = find(exact.get() + 1, text.size() - 1, kEnds, marks);
      const std::vector<uint16_t> found(marks.begin(), marks.begin() + static_cast<ptrdiff_t>(count));
      REQUIRE(std::includes(found.begin(), found.end(), wanted.begin(), wanted.end()));
      REQUIRE(std::includes(all.begin(), all.end(), found.begin(), found.end()));
    }
  }
}
