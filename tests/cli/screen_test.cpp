#include "cli/screen.h"

#include <doctest/doctest.h>

using namespace tailrace;

TEST_CASE("text stays where it belongs: cut at its width, at the edge, and told so") {
  Screen screen(3, 10);
  CHECK(screen.put(0, 0, "abc") == 3);
  screen.put(0, 8, "xyz");
  screen.put(1, 2, "abcdef", {}, 4);
  screen.put(2, 0, "0123456789");
  screen.put(3, 0, "below");
  screen.put(-1, 0, "above");
  CHECK(screen.text() == "abc     x…\n  abc…\n0123456789\n");
}

TEST_CASE("numbers end where their column does") {
  Screen screen(2, 10);
  screen.put_right(0, 8, "12");
  screen.put_right(1, 4, "123456", {}, 4);
  CHECK(screen.text() == "      12\n123…\n");
}

TEST_CASE("what is wide takes two columns, and is never cut in half") {
  CHECK(screen_width("日本") == 4);
  CHECK(screen_width("aé€") == 3);
  Screen screen(2, 5);
  CHECK(screen.put(0, 0, "日本x") == 5);
  screen.put(1, 0, "日本x", {}, 4);
  CHECK(screen.text() == "日本x\n日…\n");
}

TEST_CASE("no text of anybody's drives the terminal or turns the line around") {
  Screen screen(1, 20);
  screen.put(0, 0,
             "a\x1b[2Jb\x9b\xc2\x9b\xff\n\xe2\x80\xae"
             "c\xcc\x81");
  CHECK(screen.text() == "a?[2Jb?????c?\n");
  CHECK(screen.changes_from(nullptr, true).find("\x1b[2Jb") == std::string::npos);
}

TEST_CASE("only what changed is sent") {
  Screen before(2, 20), after(2, 20);
  before.put(0, 0, "one two three");
  after.put(0, 0, "one TWO three");
  CHECK(after.changes_from(&before, true) == "\x1b[1;5H\x1b[0mTWO\x1b[0m");
  CHECK(after.changes_from(&after, true).empty());
  Screen smaller(1, 5);
  smaller.put(0, 1, "x");
  CHECK(smaller.changes_from(&before, true) == "\x1b[0m\x1b[2J\x1b[1;2H\x1b[0mx\x1b[0m");
}

TEST_CASE("a style is sent once for all that have it, a colour only where there may be one") {
  const Screen blank(1, 10);
  Screen screen(1, 10);
  screen.put(0, 0, "ab", {.color = 160, .bold = true});
  screen.put(0, 2, "c");
  CHECK(screen.changes_from(&blank, true) == "\x1b[1;1H\x1b[0;1;38;5;160mab\x1b[0mc\x1b[0m");
  CHECK(screen.changes_from(&blank, false) == "\x1b[1;1H\x1b[0;1mab\x1b[0mc\x1b[0m");
}

TEST_CASE("a wide one moves the cursor by two") {
  const Screen blank(1, 10);
  Screen screen(1, 10);
  screen.put(0, 0, "日a");
  CHECK(screen.changes_from(&blank, true) == "\x1b[1;1H\x1b[0m日a\x1b[0m");
  Screen narrow(1, 10);
  narrow.put(0, 0, "x a");
  CHECK(narrow.changes_from(&screen, true) == "\x1b[1;1H\x1b[0mx \x1b[0m");
}
