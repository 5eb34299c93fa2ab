#include "cli/serve_command.h"

#include "cli/command.h"
#include "cli/demo.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/serve.h"

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

/// What shells complete: a path, or nothing.
const char* value_name(const SettingSpec& spec) {
  if (spec.takes.find("file") != spec.takes.npos) return "FILE";
  return spec.takes == "a directory" ? "DIR" : "";
}

// Each flag is a setting's variable in another dress; its text is read by the table, not by CLI11.
void add_setting_flags(CLI::App& options, SettingValues& flags) {
  const auto add = [&](const std::string& flag, const std::string& variable, const std::string& help,
                       const char* value) {
    options
        .add_option_function<std::string>(
            flag, [&flags, variable](const std::string& text) { flags[variable] = text; }, help)
        ->type_name(value);
  };
  for (const SettingSpec& spec : setting_specs()) {
    std::string help(spec.help);
    if (spec.kind == SettingSpec::unbuilt) help = "not built yet";
    if (!spec.standard.empty() && spec.kind != SettingSpec::unbuilt)
      help += " [" + std::string(spec.standard) + "]";
    add(spec.flag(), std::string(spec.variable), help, value_name(spec));
    if (spec.kind == SettingSpec::secret) {
      add(spec.flag() + "-file", std::string(spec.variable) + "_FILE", "the same, from a file", "FILE");
    }
  }
}

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
