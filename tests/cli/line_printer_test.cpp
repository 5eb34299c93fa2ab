#include "cli/line_printer.h"

#include <doctest/doctest.h>

using namespace tailrace;

namespace {

struct Shown {
  std::string out, aside;
};

Shown shown(std::optional<uint64_t> number, std::string_view text, const LineLook& look) {
  Shown shown;
  append_shown(shown.out, shown.aside, {number, text}, look);
  return shown;
}

constexpr std::string_view kLine = "T app[web.1]: say \x1b[2J\xff ]: \n";

}  // namespace

TEST_CASE("in a pipe the bytes are the record's") {
  CHECK(shown(1, kLine, {LineForm::text, false, false}).out == kLine);
  CHECK(shown(1, kLine, {LineForm::raw, false, false}).out == "say \x1b[2J\xff ]: \n");
  const std::string nul("T a[b]: \0\n", 10);
  CHECK(shown(1, nul, {LineForm::text, false, false}).out == nul);
  CHECK(shown(1, "T a[b]: \n", {LineForm::raw, false, false}).out == "\n");
  CHECK(shown(1, R"({"seq":1})", {LineForm::json, false, false}).out == "{\"seq\":1}\n");
}

TEST_CASE("on a terminal nothing drives it, in any form") {
  for (const LineForm form : {LineForm::text, LineForm::raw, LineForm::json}) {
    const std::string out = shown(1, kLine, {form, false, true}).out;
    CHECK(out.find('\x1b') == out.npos);
    CHECK(out.find("^[[2J\\xff") != out.npos);
    CHECK(out.ends_with('\n'));
  }
}

TEST_CASE("text alone has colours, and they end before the message") {
  const std::string out = shown(1, kLine, {LineForm::text, true, true}).out;
  CHECK(out.starts_with("\x1b[38;5;"));
  CHECK(out.find("T app[web.1]:\x1b[0m say ^[") != out.npos);
  CHECK(shown(1, kLine, {LineForm::raw, true, false}).out == "say \x1b[2J\xff ]: \n");
  CHECK(shown(1, "{}", {LineForm::json, true, true}).out == "{}\n");
}

TEST_CASE("notices stand in their place, and beside messages alone") {
  constexpr std::string_view notice = "T tailrace[tail]: Error L11\n";
  CHECK(shown({}, notice, {LineForm::text, false, false}).out == notice);
  const Shown raw = shown({}, notice, {LineForm::raw, false, false});
  CHECK(raw.out == "");
  CHECK(raw.aside == notice);
}
