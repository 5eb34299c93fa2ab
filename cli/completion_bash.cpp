#include "cli/completion_scripts.h"
#include "cli/completion_words.h"

namespace tailrace {
namespace {

constexpr std::string_view bash_head = R"(# bash completion for tailrace, made by `tailrace completion bash`.

_tailrace_ask() {  # PROGRAM KIND WORD…: what the API knows, a line each
  local program=$1 kind=$2
  shift 2
  printf '%s\n' "$@" | "$program" __complete "$kind" 2>/dev/null
}

_tailrace() {
  # By blanks: COMP_WORDS are cut at : and = too.
  local -a words candidates
  local line=${COMP_LINE:0:COMP_POINT}
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last=$((${#words[@]} - 1))
  local cur=${words[last]} first=2 path=${words[1]-} options= kind=none choices= given= value
  COMPREPLY=()
)";

constexpr std::string_view bash_tail = R"(
  value=$cur
  if ((last < first)); then
    kind=choice
  elif [[ $cur == --*=* ]]; then
    given=${cur%%=*} value=${cur#*=}
  elif [[ $cur == -* ]]; then
    kind=choice choices=$options
  fi
  ((last < first)) || _tailrace_value "$path" "${given:-${words[last - 1]}}" "$given"
  case $kind in
    choice) read -ra candidates <<<"$choices" ;;
    channels | drains) mapfile -t candidates < <(_tailrace_ask "$1" "$kind" "${words[@]:0:last}") ;;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t candidates < <(compgen -f -- "$value")
      ;;
  esac
  # Readline replaces $2, which may be the end of the word only.
  local candidate text before=${cur%"$2"}
  for candidate in "${candidates[@]}"; do
    [[ $candidate == "$value"* ]] || continue
    text=${given:+$given=}$candidate
    text=${text#"$before"}
    [[ $kind == files ]] || printf -v text %q "$text"
    COMPREPLY+=("$text")
  done
}

complete -F _tailrace tailrace
)";

std::string bash_value(const OptionDescription& option, const Commands& all) {
  switch (value_kind(option)) {
    case ValueKind::choice:
    case ValueKind::command:
      return "kind=choice choices=" + quoted(choices_of(option, all));
    case ValueKind::channel:
      return "kind=channels";
    case ValueKind::drain:
      return "kind=drains";
    case ValueKind::file:
      return "kind=files";
    case ValueKind::none:
    case ValueKind::anything:
      break;
  }
  return "kind=none";
}

void bash_command(std::string& options, std::string& values, const CommandDescription& command,
                  const Commands& all) {
  std::vector<std::string> names;
  std::string own, argument;
  for (const OptionDescription& option : command.options) {
    if (option.is_argument) {
      if (argument.empty()) argument = bash_value(option, all);
      continue;
    }
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.takes_value)
      own += "        " + joined(option.names, " | ") + ") " + bash_value(option, all) + " ;;\n";
  }
  options += "    " + quoted(command.name) + ") options=" + quoted(joined(names, " ")) + " ;;\n";
  if (!argument.empty()) own += "        *) [[ $value == -* ]] || " + argument + " ;;\n";
  if (!own.empty())
    values += "    " + quoted(command.name) + ")\n      case $2 in\n" + own + "      esac\n      ;;\n";
}

}  // namespace

std::string bash_completion(const Commands& commands) {
  std::string groups, options, values;
  for (const CommandDescription& command : commands) {
    if (command.verbs.empty()) {
      bash_command(options, values, command, commands);
      continue;
    }
    groups += "    " + command.name + ") ((last > 1)) && first=3 path=\"$path ${words[2]-}\" choices=" +
              quoted(joined(last_words(command.verbs), " ")) + " ;;\n";
    for (const CommandDescription& verb : command.verbs) bash_command(options, values, verb, commands);
  }
  return std::string(bash_head) + "  ((last > 1)) || choices=" + quoted(joined(last_words(commands), " ")) +
         "\n  case $path in\n" + groups + "  esac\n  case $path in\n" + options + "  esac" +
         std::string(bash_tail) +
         "\n_tailrace_value() {  # PATH BEFORE GIVEN: sets kind and choices of what comes behind BEFORE\n"
         "  [[ $kind == choice && -z $3 ]] && return\n  case $1 in\n" +
         values + "  esac\n}\n";
}

}  // namespace tailrace
