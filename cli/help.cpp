#include "cli/help.h"

#include "cli/command.h"
#include "cli/description.h"
#include "cli/exit_code.h"
#include "cli/help_text.h"
#include "cli/man_page.h"
#include "cli/output.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace help
  tailrace help drains add
  tailrace help --man | man -l -
)";

std::string overview() {
  std::string text =
      "examples:\n"
      "  tailrace demo                        see it work, now\n"
      "  tailrace serve                       run the router\n"
      "  tailrace logs -a shop -t -p router   follow a channel\n\n"
      "tailrace routes logs from apps to drains and tails, and makes metrics of them.\n\ncommands:\n";
  for (const Command& command : commands()) {
    text += "  " + std::string(command.name) + std::string(12 - command.name.size(), ' ') +
            wrapped(command.summary, 14) + (command.run ? "" : " (not built yet)") + "\n";
  }
  return text + "\n`tailrace COMMAND --help` tells the rest.\n";
}

/// As if it had been called with --help.
int help_of(const Command& command, std::vector<std::string> words) {
  if (!command.run) return not_built_yet(command.name);
  words.emplace_back("--help");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  return command.run(int(words.size()), arguments.data());
}

}  // namespace

int run_help(int argc, char** argv) {
  bool man = false;
  std::vector<std::string> words;
  CommandLine line("help", "the list of commands, or a command's help.", examples);
  CLI::App& o = line.options();
  o.add_option("COMMAND", words, "a command, and a verb if it has any")->type_name("");
  o.add_flag("--man", man, "the page of the manual, as roff");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  if (man && !words.empty()) return line.usage_error("--man is of all commands");
  if (man) return write_stdout(man_page(describe_commands())) ? exit_ok : exit_failure;
  if (words.empty()) return write_stdout(overview()) ? exit_ok : exit_failure;
  if (const Command* command = find_command(commands(), words.front())) return help_of(*command, words);
  complain("help: no command " + words.front() + did_you_mean(words.front(), names_of(commands())));
  return exit_usage;
}

}  // namespace tailrace
