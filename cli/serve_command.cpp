#include "cli/serve_command.h"

#include "cli/command.h"
#include "cli/demo.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/serve.h"
#include "cli/setting_flags.h"

namespace tailrace {
namespace {

constexpr std::string_view serve_examples = R"(examples:
  tailrace serve
  tailrace serve --data-dir /var/lib/tailrace --disk-bytes 50G
  tailrace serve --http-listen 0.0.0.0:8601 --channel-bytes 32M
  TAILRACE_AUTH_FILE=/run/secrets/auth PORT=8080 tailrace serve
)";

constexpr std::string_view demo_examples = R"(examples:
  tailrace demo
  tailrace demo --rate 500
)";

std::optional<Settings> settings_from(const SettingValues& flags) {
  SettingsOutcome outcome = read_settings(flags, process_environment(), read_small_file);
  for (const std::string& warning : outcome.warnings) complain(warning);
  if (!outcome.settings) complain(outcome.error);
  return std::move(outcome.settings);
}

}  // namespace

int serve_command(int argc, char** argv) {
  SettingValues flags;
  CommandLine line("serve", "runs the router. Each flag is also a variable, TAILRACE_…", serve_examples);
  add_setting_flags(line.options(), flags);
  if (const auto ended = line.parse(argc, argv)) return *ended;
  const auto settings = settings_from(flags);
  if (!settings) return exit_usage;
  return run_serve(*settings, [&](Settings& now) {
    return reread_limits(now, flags, process_environment(), read_small_file);
  });
}

int demo_command(int argc, char** argv) {
  SettingValues flags;
  DemoOptions options;
  CommandLine line("demo", "serve on loopback, with traffic and drains.", demo_examples);
  line.options()
      .add_option("--rate", options.rate, "requests per second [50]")
      ->type_name("R")
      ->check(CLI::Range(0.1, 100'000.0));
  add_setting_flags(line.options(), flags);
  if (const auto ended = line.parse(argc, argv)) return *ended;
  const auto settings = settings_from(flags);
  return settings ? run_demo(*settings, options) : exit_usage;
}

}  // namespace tailrace
