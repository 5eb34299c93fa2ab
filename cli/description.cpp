#include "cli/description.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "cli/command.h"

namespace tailrace {
namespace {

/// What the option's checks say of its values; CLI11 shows it behind the name of the value.
std::vector<std::string> checks_of(CLI::Option& option) {
  std::vector<std::string> texts;
  try {
    for (int i = 0;; ++i) texts.push_back(option.get_validator(i)->get_description());
  } catch (const CLI::OptionNotFound&) {  // how it says that there are no more
  }
  return texts;
}

/// `{text,json}`, as CLI::IsMember describes itself.
std::vector<std::string> choices_in(std::string_view check) {
  std::vector<std::string> choices;
  if (!check.starts_with('{') || !check.ends_with('}')) return choices;
  check = check.substr(1, check.size() - 2);
  while (!check.empty()) {
    const size_t comma = std::min(check.find(','), check.size());
    choices.emplace_back(check.substr(0, comma));
    check.remove_prefix(std::min(comma + 1, check.size()));
  }
  return choices;
}

OptionDescription describe_option(CLI::Option& option) {
  OptionDescription out;
  out.is_argument = option.get_positional();
  if (out.is_argument) {
    out.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  }
  out.takes_value = option.get_items_expected_max() > 0;
  out.required = option.get_required();
  out.repeated = option.get_expected_max() > 1 ||
                 (out.takes_value && option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll);
  out.help = option.get_description();
  if (!out.takes_value) return out;
  out.value = option.get_type_name();
  const std::vector<std::string> checks = checks_of(option);
  for (auto check = checks.rbegin(); check != checks.rend(); ++check) {
    if (!check->empty() && out.value.ends_with(":" + *check))
      out.value.resize(out.value.size() - check->size() - 1);
    if (out.choices.empty()) out.choices = choices_in(*check);
  }
  return out;
}

}  // namespace

std::vector<OptionDescription> describe_options(CLI::App& app) {
  std::vector<OptionDescription> all;
  for (CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) all.push_back(describe_option(*option));
  return all;
}

CommandDescription describe(const Command& command) {
  CommandDescription description;
  if (command.run) {
    Recorder recorder;
    std::string name(command.name);
    char* arguments[] = {name.data(), nullptr};
    command.run(1, arguments);
    if (recorder.taken()) description = std::move(*recorder.taken());
  }
  if (description.name.empty()) description.name = command.name;
  description.brief = command.summary;
  return description;
}

std::vector<CommandDescription> describe_commands() {
  std::vector<CommandDescription> all;
  for (const Command& command : commands()) all.push_back(describe(command));
  return all;
}

}  // namespace tailrace
