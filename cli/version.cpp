#include "cli/version.h"

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace tailrace {

std::string version_text() {
  const std::string commit = TAILRACE_COMMIT;
  return "tailrace " TAILRACE_VERSION " (" + (commit.empty() ? "" : commit + ", ") + TAILRACE_BUILD_TYPE ")";
}

std::string version_commit() {
  return TAILRACE_COMMIT;
}

std::string version_number() {
  return TAILRACE_VERSION;
}

std::string version_date() {
  return TAILRACE_DATE;
}

int run_version(int argc, char** argv) {
  CommandLine line("version", "prints version, commit and build type.", "examples:\n  tailrace version\n");
  if (const auto ended = line.parse(argc, argv)) return *ended;
  return write_stdout(version_text() + "\n") ? exit_ok : exit_failure;
}

}  // namespace tailrace
