#include "cli/line_text.h"

#include <doctest/doctest.h>

#include <set>

using namespace tailrace;

TEST_CASE("lines are whole whatever the chunks were") {
  const std::string text = "one\n\ntwo three\nfour";
  for (size_t size = 1; size <= text.size(); ++size) {
    LineBuffer lines;
    std::string out;
    for (size_t at = 0; at < text.size(); at += size) {
      const std::string_view whole = lines.add(std::string_view(text).substr(at, size));
      CHECK((whole.empty() || whole.back() == '\n'));
      out += whole;
    }
    CHECK(out == "one\n\ntwo three\n");
    CHECK(lines.rest() == "four");
  }
}

TEST_CASE("nothing in a line drives the terminal") {
  CHECK(visible("a\tb\n") == "a\tb\n");
  CHECK(visible("\x1b]52;c;x\x07") == "^[]52;c;x^G");
  CHECK(visible("x\r\x7f") == "x^M^?");
  CHECK(visible(std::string_view("\0", 1)) == "^@");
  CHECK(visible("\xc2\x9b"
                "31m") == "\\x9b31m");
  CHECK(visible("\x9b"
                "31m") == "\\x9b31m");
  CHECK(visible("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(visible("a\xe2\x80\xae"
                "b\xe2\x81\xa9\xd8\x9c\xe2\x80\xa8") == "a\\u202eb\\u2069\\u061c\\u2028");
  CHECK(visible("\xe2\x82") == "\\xe2\\x82");
  CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80");
}

TEST_CASE("a source keeps its colour, and many sources share at least twelve") {
  CHECK(line_source("2026-11-21T01:02:03.456789+00:00 app[web.1]: hi") == "app[web.1]");
  CHECK(line_source("no source here") == "");
  CHECK(line_source("T a b[c]: x") == "");
  CHECK(line_source("") == "");
  CHECK(source_color("app[web.1]") == source_color("app[web.1]"));
  // The sources that almost every app has are told apart.
  const std::set<std::string_view> usual = {source_color("app[web.1]"), source_color("heroku[router]"),
                                            source_color("heroku[web.1]"), source_color("app[worker.1]")};
  CHECK(usual.size() == 4);
  std::set<std::string_view> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(source_color("app[web." + std::to_string(i) + "]"));
  CHECK(seen.size() >= 12);
}

TEST_CASE("colour ends before the message") {
  const std::string line = colored("T app[web.1]: hi\n");
  CHECK(line.starts_with("\x1b[38;5;"));
  CHECK(line.ends_with("T app[web.1]:\x1b[0m hi\n"));
  CHECK(colored("plain\n") == "plain\n");
}
