#include "cli/keys.h"

#include <doctest/doctest.h>

using namespace tailrace;

using Keys = std::vector<Key>;

TEST_CASE("letters, control characters and what terminals send for keys") {
  KeyReader keys;
  CHECK(keys.add("jé") == Keys{{Key::character, "j"}, {Key::character, "é"}});
  CHECK(keys.add("\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~") == Keys{{Key::up, {}},
                                                                    {Key::down, {}},
                                                                    {Key::page_up, {}},
                                                                    {Key::page_down, {}},
                                                                    {Key::home, {}},
                                                                    {Key::end, {}}});
  CHECK(keys.add("\r\x7f\x03\x1a\x0c\x01") == Keys{{Key::enter, {}},
                                                   {Key::backspace, {}},
                                                   {Key::interrupt, {}},
                                                   {Key::suspend, {}},
                                                   {Key::redraw, {}},
                                                   {Key::other, {}}});
  CHECK(keys.add("\x1b[1;5Cq") == Keys{{Key::other, {}}, {Key::character, "q"}});
}

TEST_CASE("a key that comes in pieces is one; an ESC with nothing behind it is the key") {
  KeyReader keys;
  CHECK(keys.add("\x1b").empty());
  CHECK(keys.waiting());
  CHECK(keys.add("[").empty());
  CHECK(keys.add("B") == Keys{{Key::down, {}}});
  CHECK(keys.add("\xc3").empty());
  CHECK(keys.add("\xa9") == Keys{{Key::character, "é"}});
  CHECK(keys.add("\x1b").empty());
  CHECK(keys.quiet() == Keys{{Key::escape, {}}});
  CHECK_FALSE(keys.waiting());
  CHECK(keys.add("\x1bq") == Keys{{Key::escape, {}}, {Key::character, "q"}});
  CHECK(keys.add("\x1b[" + std::string(100, '1')).size() == 1);
}
