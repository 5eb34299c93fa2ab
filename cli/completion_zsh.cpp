#include "cli/completion_scripts.h"
#include "cli/completion_words.h"
#include "cli/help_text.h"

namespace tailrace {
namespace {

constexpr std::string_view zsh_head = R"zsh(#compdef tailrace
# zsh completion for tailrace, made by `tailrace completion zsh`.

_tailrace_ask() {
  local -a found
  found=(${(f)"$(print -rl -- $words[1,CURRENT-1] | $program __complete $1 2>/dev/null)"})
  compadd -a found
}

_tailrace() {
  local program=$words[1] curcontext=$curcontext
  local -a found
)zsh";

std::string zsh_action(const OptionDescription& option, const Commands& all) {
  switch (value_kind(option)) {
    case ValueKind::choice:
    case ValueKind::command:
      return "(" + choices_of(option, all) + ")";
    case ValueKind::channel:
      return " _tailrace_ask channels";
    case ValueKind::drain:
      return " _tailrace_ask drains";
    case ValueKind::file:
      return "_files";
    case ValueKind::none:
    case ValueKind::anything:
      break;
  }
  return " ";
}

std::string zsh_option(const OptionDescription& option, const Commands& all) {
  const std::string of_value = ":" + escaped_in(option.value.empty() ? "value" : option.value, ":\\", '\\') +
                               ":" + zsh_action(option, all);
  if (option.is_argument)
    return quoted((option.repeated   ? "*"
                   : option.required ? ""
                                     : ":") +
                  std::string(":") + option.names.front() + ":" + zsh_action(option, all));
  std::string out;
  for (const std::string& name : option.names) {
    std::string spec = option.repeated ? "*" : "(" + joined(option.names, " ") + ")";
    spec += name;
    if (option.takes_value) spec += name.starts_with("--") ? "=" : "+";
    spec += "[" + escaped_in(meaning_of(option), "[]:\\", '\\') + "]";
    out += (out.empty() ? "" : " ") + quoted(spec + (option.takes_value ? of_value : ""));
  }
  return out;
}

void zsh_command(std::string& out, const CommandDescription& command, const Commands& all,
                 const std::string& indent, size_t depth) {
  const auto list = [&](const Commands& commands, const char* what) {
    out += indent + "  found=(\n";
    for (const CommandDescription& one : commands)
      out += indent + "    " + quoted(last_word(one.name) + ":" + escaped_in(one.brief, ":\\", '\\')) + "\n";
    out += indent + "  )\n" + indent + "  _describe " + what + " found\n";
  };
  const std::string place = std::to_string(depth + 1);
  if (!command.verbs.empty()) {
    out += indent + "if ((CURRENT == " + place + ")); then\n";
    list(command.verbs, depth == 1 ? "command" : "verb");
    out += indent + "  return\n" + indent + "fi\n" + indent + "case $words[" + place + "] in\n";
    for (const CommandDescription& verb : command.verbs) {
      out += indent + "  " + last_word(verb.name) + ")\n";
      zsh_command(out, verb, all, indent + "    ", depth + 1);
      out += indent + "    ;;\n";
    }
    out += indent + "esac\n";
    return;
  }
  out += indent + "shift " + std::to_string(depth - 1) + " words\n" + indent +
         "((CURRENT -= " + std::to_string(depth - 1) + "))\n" + indent + "_arguments -s";
  for (const OptionDescription& option : command.options)
    out += " \\\n" + indent + "  " + zsh_option(option, all);
  out += "\n";
}

}  // namespace

std::string zsh_completion(const Commands& commands) {
  std::string out(zsh_head);
  zsh_command(
      out, {.name = "tailrace", .brief = {}, .summary = {}, .examples = {}, .options = {}, .verbs = commands},
      commands, "  ", 1);
  return out +
         "}\n\nif [[ $funcstack[1] == _tailrace ]]; then\n  _tailrace \"$@\"\nelse\n  compdef _tailrace "
         "tailrace\nfi\n";
}

}  // namespace tailrace
