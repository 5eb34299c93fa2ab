#include "cli/setting_flags.h"

namespace tailrace {
namespace {

/// What shells complete: a path, or nothing.
const char* value_name(const SettingSpec& spec) {
  if (spec.takes.find("file") != spec.takes.npos) return "FILE";
  return spec.takes == "a directory" ? "DIR" : "";
}

}  // namespace

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

}  // namespace tailrace
