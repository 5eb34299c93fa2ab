#include "cli/completion_words.h"

namespace tailrace {

ValueKind value_kind(const OptionDescription& option) {
  if (!option.takes_value) return ValueKind::none;
  if (!option.choices.empty()) return ValueKind::choice;
  const std::string& name = option.is_argument ? option.names.front() : option.value;
  if (name == "APP") return ValueKind::channel;
  if (name == "DRAIN") return ValueKind::drain;
  if (name == "COMMAND") return ValueKind::command;
  if (name.starts_with("FILE") || name == "DIR") return ValueKind::file;
  return ValueKind::anything;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

std::string last_word(const std::string& name) {
  return name.substr(name.rfind(' ') + 1);
}

std::vector<std::string> last_words(const Commands& commands) {
  std::vector<std::string> words;
  for (const CommandDescription& command : commands) words.push_back(last_word(command.name));
  return words;
}

std::string escaped_in(std::string_view text, std::string_view what, char escape) {
  std::string out;
  for (const char c : text) {
    if (what.find(c) != what.npos) out += escape;
    out += c;
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string choices_of(const OptionDescription& option, const Commands& all) {
  return joined(value_kind(option) == ValueKind::command ? last_words(all) : option.choices, " ");
}

}  // namespace tailrace
