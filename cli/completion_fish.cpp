#include "cli/completion_scripts.h"
#include "cli/completion_words.h"
#include "cli/help_text.h"

namespace tailrace {
namespace {

constexpr std::string_view fish_head =
    R"(# fish completion for tailrace, made by `tailrace completion fish`.

function __tailrace_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l many (count $argv)
    test (count $words) -ge $many; and test "$words[1..$many]" = "$argv"
end

function __tailrace_ends_with
    set -l words (commandline -opc)
    set -e words[1]
    test "$words" = "$argv"
end

function __tailrace_ask
    set -l words (commandline -opc)
    string join \n -- $words | $words[1] __complete $argv[1] 2>/dev/null
end

complete -c tailrace -f
)";

std::string fish_quoted(std::string_view text) {
  return "'" + escaped_in(text, "'\\", '\\') + "'";
}

std::string fish_value(const OptionDescription& option, const Commands& all) {
  switch (value_kind(option)) {
    case ValueKind::choice:
    case ValueKind::command:
      return " -x -a " + fish_quoted(choices_of(option, all));
    case ValueKind::channel:
      return " -x -a '(__tailrace_ask channels)'";
    case ValueKind::drain:
      return " -x -a '(__tailrace_ask drains)'";
    case ValueKind::file:
      return " -r -F";
    case ValueKind::anything:
      return " -x";
    case ValueKind::none:
      break;
  }
  return "";
}

void fish_command(std::string& out, const CommandDescription& command, const Commands& all) {
  const std::string here = "complete -c tailrace -n '__tailrace_at " + command.name + "'";
  for (const CommandDescription& verb : command.verbs) {
    out += "complete -c tailrace -n '__tailrace_ends_with " + command.name + "' -a " + last_word(verb.name) +
           " -d " + fish_quoted(verb.brief) + "\n";
    fish_command(out, verb, all);
  }
  for (const OptionDescription& option : command.options) {
    out += here;
    if (!option.is_argument)
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!option.is_argument || value_kind(option) != ValueKind::anything) out += fish_value(option, all);
    out += " -d " + fish_quoted(meaning_of(option)) + "\n";
  }
}

}  // namespace

std::string fish_completion(const Commands& commands) {
  std::string out(fish_head);
  for (const CommandDescription& command : commands) {
    out += "complete -c tailrace -n '__tailrace_ends_with' -a " + command.name + " -d " +
           fish_quoted(command.brief) + "\n";
    fish_command(out, command, commands);
  }
  return out;
}

}  // namespace tailrace
