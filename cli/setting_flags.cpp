#include "cli/setting_flags.h"

#include <algorithm>

namespace tailrace {
namespace {

/// What shells complete: a path, or nothing.
const char* value_name(const SettingSpec& spec) {
  if (spec.takes.find("file") != spec.takes.npos) return "FILE";
  return spec.takes == "a directory" ? "DIR" : "";
}

/// `{memory,durable}` of `memory or durable`, for those who complete; empty if there is more to say of a
/// value.
std::string choices_of(std::string_view takes) {
  std::string choices;
  while (!takes.empty()) {
    const size_t end = std::min({takes.find(", "), takes.find(" or "), takes.size()});
    const std::string_view word = takes.substr(0, end);
    if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != word.npos) return {};
    choices += (choices.empty() ? "{" : ",") + std::string(word);
    takes.remove_prefix(std::min(end + (takes.substr(end).starts_with(" or ") ? 4 : 2), takes.size()));
  }
  return choices + "}";
}

}  // namespace

void add_setting_flags(CLI::App& options, SettingValues& flags) {
  const auto add = [&](const std::string& flag, const std::string& variable, const std::string& help,
                       const char* value) {
    return options
        .add_option_function<std::string>(
            flag, [&flags, variable](const std::string& text) { flags[variable] = text; }, help)
        ->type_name(value);
  };
  for (const SettingSpec& spec : setting_specs()) {
    std::string help(spec.help);
    if (spec.kind == SettingSpec::unbuilt) help = "not built yet";
    if (!spec.standard.empty() && spec.kind != SettingSpec::unbuilt)
      help += " [" + std::string(spec.standard) + "]";
    CLI::Option* option = add(spec.flag(), std::string(spec.variable), help, value_name(spec));
    if (const std::string choices = choices_of(spec.takes); !choices.empty())
      option->check(CLI::Validator([](std::string&) { return std::string(); }, choices));
    if (spec.kind == SettingSpec::secret) {
      add(spec.flag() + "-file", std::string(spec.variable) + "_FILE", "the same, from a file", "FILE");
    }
  }
}

}  // namespace tailrace
