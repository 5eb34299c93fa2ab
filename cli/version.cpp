#include "cli/version.h"

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace tailrace {

std::string version_text() {
  const std::string commit = TAILRACE_COMMIT;
  return "tailrace " TAILRACE_VERSION " (" + (commit.empty() ? "" : commit + ", ") + TAILRACE_BUILD_TYPE ")";
}

int version_command(int argc, char** argv) {
  CommandLine line("version", "prints version, commit and build type.", "examples:\n  tailrace version\n");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  return write_stdout(version_text() + "\n") ? exit_ok : exit_failure;
}

int help_command(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-') {
    for (const Command& command : commands()) {
      if (command.name != argv[1] || command.name == "help") continue;
      if (!command.run) return not_built_yet(command.name);
      std::string flag = "--help";
      char* arguments[] = {argv[1], flag.data(), nullptr};
      return command.run(2, arguments);
    }
    complain("help: no command " + std::string(argv[1]));
    return exit_usage;
  }
  std::string text =
      "examples:\n"
      "  tailrace demo                        see it work, now\n"
      "  tailrace serve                       run the router\n"
      "  tailrace logs -a shop -t -p router   follow a channel\n\n"
      "tailrace routes logs from apps to drains and tails, and makes metrics of them.\n\ncommands:\n";
  for (const Command& command : commands()) {
    text += "  " + std::string(command.name) + std::string(12 - command.name.size(), ' ') +
            std::string(command.summary) + (command.run ? "" : " (not built yet)") + "\n";
  }
  text += "\n`tailrace COMMAND --help` tells the rest.\n";
  return write_stdout(text) ? exit_ok : exit_failure;
}

}  // namespace tailrace
