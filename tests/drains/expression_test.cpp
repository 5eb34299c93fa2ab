#include "drains/expression.h"

#include <doctest/doctest.h>
#include <re2/re2.h>

#include <random>

using namespace tailrace;

namespace {

Expression::Parsed parsed(const std::string& text) {
  Expression::Room room;
  return Expression::parse(text, room);
}

}  // namespace

TEST_CASE("an expression agrees with RE2") {
  static const std::string pieces[] = {"a",
                                       "b",
                                       "xa",
                                       "K",
                                       "s",
                                       "ö",
                                       "Ö",
                                       "Ω",
                                       "\\d",
                                       "\\D",
                                       "\\w",
                                       "\\W",
                                       "\\s",
                                       "\\S",
                                       ".",
                                       "\\C",
                                       "[a-c]",
                                       "[^a-c]",
                                       "[^ö]",
                                       "[ä-ü]",
                                       "[]a]",
                                       "[^]a]",
                                       "[a-]",
                                       "[-b]",
                                       "[\\d-]",
                                       "[[:alpha:]]",
                                       "[[:^digit:]x]",
                                       "[\\W\\d]",
                                       "\\.",
                                       "\\x41",
                                       "\\x{f6}",
                                       "\\101",
                                       "\\n",
                                       "(",
                                       ")",
                                       "(?:",
                                       "(?i)",
                                       "(?i:",
                                       "(?-i)",
                                       "(?s)",
                                       "(?m)",
                                       "(?P<n>",
                                       "|",
                                       "*",
                                       "+",
                                       "?",
                                       "*?",
                                       "{2}",
                                       "{0,2}",
                                       "{1,}",
                                       "{,2}",
                                       "{x",
                                       "^",
                                       "$",
                                       "\\b",
                                       "\\B",
                                       "\\A",
                                       "\\z",
                                       "-",
                                       "]",
                                       "}",
                                       "0",
                                       " ",
                                       "[k-t]",
                                       "[^\\x00-\\x{10FFFF}]",
                                       "\\t",
                                       "[\\n ]",
                                       "€",
                                       "😀",
                                       "[€-😀]"};
  static const std::string bytes[] = {"a",
                                      "b",
                                      "c",
                                      "A",
                                      "B",
                                      "K",
                                      "k",
                                      "s",
                                      "S",
                                      "ſ",
                                      "\u212a",
                                      "ö",
                                      "Ö",
                                      "ä",
                                      "Ω",
                                      "ω",
                                      "0",
                                      "7",
                                      " ",
                                      "\n",
                                      "-",
                                      "]",
                                      ".",
                                      "x",
                                      "{",
                                      "}",
                                      "\xff",
                                      "\xc3",
                                      "€",
                                      "😀",
                                      "\xe0\x80\x80",
                                      "\x80",
                                      "_",
                                      ",",
                                      "2",
                                      "\t",
                                      ":",
                                      "Å",
                                      "å",
                                      "\u212b"};
  std::mt19937 random(11);
  const auto one_of = [&](const auto& all) { return all[random() % std::size(all)]; };
  size_t made = 0, held = 0, asked = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string text;
    for (size_t n = random() % 7 + 1; n; --n) text += one_of(pieces);
    const auto [expression, error] = parsed(text);
    CAPTURE(text);
    const re2::RE2 twin(text, re2::RE2::Quiet);
    if (!twin.ok()) {
      REQUIRE(!expression);
      continue;
    }
    REQUIRE(expression);
    ++made;
    for (int k = 0; k < 12; ++k) {
      std::string in;
      for (size_t n = random() % 8; n; --n) in += one_of(bytes);
      CAPTURE(in);
      const bool holds = expression->matches(in);
      REQUIRE(holds == re2::RE2::PartialMatch(in, twin));
      held += holds;
      ++asked;
    }
  }
  CHECK(made > 10'000);
  CHECK(held > asked / 10);
  CHECK(held < asked * 9 / 10);
}

TEST_CASE("what people look for is taken") {
  for (const char* text :
       {"H1[0-9]", "(?i)timeout", "(?i)timeout|refused", "(?i)error|fatal|panic|exception|traceback",
        "path=[^ ]+\\.php", "\\d+\\.\\d+\\.\\d+\\.\\d+", "user \\w+@\\w+ (failed|denied)",
        "status=5\\d\\d .*GET", "timeout.{1,20}ms", "x.*y.*z", "(?i)\\bGET\\b.*\\b/api/v[0-9]+/users\\b",
        "[A-Z][a-z]+Exception: .* at [a-z.]+", "^(GET|POST|PUT|DELETE) /(api|admin)/",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "(?i)größe über"}) {
    const auto [expression, error] = parsed(text);
    CHECK_MESSAGE(expression, (std::string(text) + ": " + error));
  }
}

TEST_CASE("an automaton is small or not made") {
  Expression::Room room;
  for (const char* text :
       {"x[a-z]{300}y", "(a|b)*a(a|b){200}", "x.{14}y", "(?i)x[a-z]{20}y", "((a{100}){100}){10}"}) {
    Expression::Room own;
    const auto [expression, error] = Expression::parse(text, own);
    CHECK_FALSE_MESSAGE(expression, text);
    CHECK_FALSE(error.empty());
  }
  size_t cells = 0;
  for (int i = 0; i < 1000; ++i)
    if (const auto made = Expression::parse("x[a-z]{6}y", room).expression) cells += made->cells();
  CHECK(cells <= Expression::Room().cells);
  CHECK(cells > Expression::Room().cells / 2);
}

TEST_CASE("letters of any case beside ASCII's cost little room") {
  Expression::Room room;
  for (int i = 0; i < 8; ++i) CHECK(Expression::parse("(?i)[ä-ü]größe", room).expression);
}
