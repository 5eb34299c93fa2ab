#include "cli/command.h"

#include <doctest/doctest.h>

#include "cli/completion_scripts.h"
#include "cli/completion_words.h"
#include "cli/description.h"
#include "cli/exit_code.h"
#include "cli/help_text.h"
#include "cli/man_page.h"

using namespace tailrace;

namespace {

int run_paint(int argc, char** argv) {
  std::string color, app;
  std::vector<std::string> files;
  bool twice = false;
  CommandLine line("paint", "paints.", "examples:\n  tailrace paint -c red x\n");
  CLI::App& o = line.options();
  o.add_option("FILE", files, "what to paint")->type_name("")->required();
  o.add_option("-c,--color", color, "which")->type_name("HUE")->check(CLI::IsMember({"red", "blue"}));
  o.add_option("-a,--app", app, "whose: 'its'")->type_name("APP");
  o.add_flag("--twice", twice, "again [no]");
  o.add_flag("--secret", twice, "not shown")->group("");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  return 77;
}

int run_shop(int argc, char** argv) {
  static const std::vector<Command> verbs = {{"paint", "paints one", run_paint}};
  return run_verbs("shop", "a group.", "examples:\n  tailrace shop paint\n", verbs, argc, argv);
}

int call(int (*command)(int, char**), std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return command(int(words.size()), arguments.data());
}

size_t lines_over(std::string_view text, size_t width) {
  size_t count = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    count += columns_of(text.substr(0, end)) > width;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return count;
}

}  // namespace

TEST_CASE("the nearest command, if any is near") {
  const std::vector<std::string> names = {"serve", "logs", "send", "sink", "version"};
  CHECK(nearest("lgos", names) == "logs");
  CHECK(nearest("log", names) == "logs");
  CHECK(nearest("serv", names) == "serve");
  CHECK(nearest("verison", names) == "version");
  CHECK(nearest("frobnicate", names) == "");
  CHECK(nearest("", names) == "");
}

TEST_CASE("a command is described without being run") {
  const CommandDescription paint = describe({"paint", "in short", run_paint});
  CHECK(paint.name == "paint");
  CHECK(paint.brief == "in short");
  CHECK(paint.summary == "paints.");
  REQUIRE(paint.options.size() == 5);
  const OptionDescription& help = paint.options[0];
  CHECK(help.names == std::vector<std::string>{"-h", "--help"});
  CHECK_FALSE(help.takes_value);
  const OptionDescription& file = paint.options[1];
  CHECK(file.is_argument);
  CHECK(file.required);
  CHECK(file.repeated);
  CHECK(file.names == std::vector<std::string>{"FILE"});
  const OptionDescription& color = paint.options[2];
  CHECK(color.value == "HUE");
  CHECK(color.choices == std::vector<std::string>{"red", "blue"});
  CHECK(value_kind(color) == ValueKind::choice);
  CHECK(value_kind(paint.options[3]) == ValueKind::channel);
  CHECK(value_kind(file) == ValueKind::file);
  CHECK(value_kind(help) == ValueKind::none);
}

TEST_CASE("a command with verbs describes them, and finds them") {
  const CommandDescription shop = describe({"shop", "", run_shop});
  REQUIRE(shop.verbs.size() == 1);
  CHECK(shop.verbs[0].options.size() == 5);
  CHECK(shop.verbs[0].brief == "paints one");
  CHECK(call(run_shop, {"shop", "paint", "x"}) == 77);
  CHECK(call(run_shop, {"shop", "piant", "x"}) == exit_usage);
  CHECK(call(run_shop, {"shop"}) == exit_usage);
}

TEST_CASE("what is no such option or value ends with usage") {
  CHECK(call(run_paint, {"paint", "x", "--color", "red"}) == 77);
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
           {"paint", "x", "--colr", "red"}, {"paint", "x", "-c", "rde"}, {"paint"}, {"paint", "--twcie"}})
    CHECK(call(run_paint, bad) == exit_usage);
}

TEST_CASE("help: examples, summary, arguments, options, in 80 columns") {
  CommandDescription paint = describe({"paint", "", run_paint});
  CHECK(help_text(paint) ==
        "examples:\n  tailrace paint -c red x\n\ntailrace paint: paints.\n\nArguments:\n"
        "  FILE …                    what to paint\n\nOptions:\n"
        "  -h,--help                 this text\n"
        "  -c,--color HUE            which: red or blue\n"
        "  -a,--app APP              whose: 'its'\n"
        "  --twice                   again [no]\n");
  for (int i = 0; i < 30; ++i) paint.options[2].help += " — wörds";
  paint.options[3].names = {"--a-name-that-is-longer-than-its-column"};
  CHECK(lines_over(help_text(paint), 80) == 0);
}

TEST_CASE("words are wrapped at the width and not within") {
  CHECK(wrapped("a bb ccc", 0, 4) == "a bb\nccc");
  CHECK(wrapped("éé éé", 2, 7) == "éé éé");
  CHECK(wrapped("éé éé", 2, 6) == "éé\n  éé");
  CHECK(wrapped("  toolong x", 1, 4) == "toolong\n x");
  CHECK(wrapped("", 3).empty());
  CHECK(either({"a", "b", "c"}) == "a, b or c");
}

TEST_CASE("roff shows text as it is, also where it could be a request") {
  CommandDescription odd = describe({"paint", "", run_paint});
  odd.examples = "examples:\n.so /etc/passwd\n'\\\" x\n";
  odd.options[2].help =
      "a\\b -x 'y' … and more, so that a line ends and begins again with a word such as .SH there";
  const std::string page = man_page({odd});
  CHECK(page.find("\n.so") == std::string::npos);
  CHECK(page.find("\n'") == std::string::npos);
  CHECK(page.find("a\\eb \\-x \\(aqy\\(aq \\[u2026]") != std::string::npos);
  for (const char c : page) CHECK(uint8_t(c) < 0x7f);
}

TEST_CASE("no word of a help ends the quotes of a script") {
  CommandDescription odd = describe({"paint", "it's $(x) [y]:z", run_paint});
  const std::string bash = bash_completion({odd}), zsh = zsh_completion({odd}), fish = fish_completion({odd});
  CHECK(bash.find("$(x)") == std::string::npos);
  CHECK(zsh.find("it'\\''s $(x) [y]\\:z") != std::string::npos);
  CHECK(zsh.find("[whose\\: '\\''its'\\'']") != std::string::npos);
  CHECK(fish.find("'it\\'s $(x) [y]:z'") != std::string::npos);
}
