// The one binary: finds the command and runs it.

#include <signal.h>

#include <exception>

#include "cli/command.h"
#include "cli/completion.h"
#include "cli/exit_code.h"
#include "cli/output.h"

int main(int argc, char** argv) {
  using namespace tailrace;
  open_standard_streams();
  ::signal(SIGPIPE, SIG_IGN);
  std::string_view name = argc > 1 ? argv[1] : "";
  if (name.empty()) {
    complain("which command? (see tailrace help)");
    return exit_usage;
  }
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  if (name == "__complete") return run_complete(argc - 1, argv + 1);
  const Command* command = find_command(commands(), name);
  if (!command) {
    complain(std::string(name) + ": no such command" + did_you_mean(name, names_of(commands())) +
             " (see tailrace help)");
    return exit_usage;
  }
  if (!command->run) return not_built_yet(name);
  try {
    return command->run(argc - 1, argv + 1);
  } catch (const std::exception& failed) {
    complain(std::string(name) + ": " + failed.what());
    return exit_failure;
  }
}
