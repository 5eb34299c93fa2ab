#include "cli/help_text.h"

#include <algorithm>

namespace tailrace {
namespace {

constexpr size_t help_column = 28;

/// `  NAME      MEANING`, the meaning from its column on; a line of its own if the name is too long.
std::string entry(const std::string& name, const std::string& meaning, size_t column) {
  std::string out = "  " + name;
  if (columns_of(out) + 2 > column) {
    out += "\n" + std::string(column, ' ');
  } else {
    out += std::string(column - columns_of(out), ' ');
  }
  return out + wrapped(meaning, column) + "\n";
}

}  // namespace

size_t columns_of(std::string_view text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xc0) != 0x80; }));
}

std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t column = indent;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const size_t wide = columns_of(word);
    if (!out.empty() && column + 1 + wide > width) {
      ((out += '\n') += std::string(indent, ' ')) += word;
      column = indent + wide;
    } else {
      if (!out.empty()) out += ' ', ++column;
      out += word;
      column += wide;
    }
  }
  return out;
}

std::string either(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

std::string usage_of(const OptionDescription& option) {
  std::string out;
  for (const std::string& name : option.names) out += (out.empty() ? "" : ",") + name;
  if (!option.is_argument && option.takes_value && !option.value.empty()) out += " " + option.value;
  if (option.repeated) out += " …";
  return out;
}

std::string meaning_of(const OptionDescription& option) {
  const bool named = std::ranges::all_of(option.choices, [&](const std::string& choice) {
    return option.help.find(choice) != std::string::npos;
  });
  return option.help + (named ? "" : ": " + either(option.choices)) +
         (option.required && !option.is_argument ? " (needed)" : "");
}

std::string help_text(const CommandDescription& command) {
  std::string out =
      command.examples + "\n" + wrapped("tailrace " + command.name + ": " + command.summary, 0) + "\n";
  for (const bool arguments : {true, false}) {
    bool any = false;
    for (const OptionDescription& option : command.options) {
      if (option.is_argument != arguments) continue;
      if (!any) out += arguments ? "\nArguments:\n" : "\nOptions:\n";
      any = true;
      out += entry(usage_of(option), meaning_of(option), help_column);
    }
  }
  if (command.verbs.empty()) return out;
  out += '\n';
  size_t longest = 0;
  for (const CommandDescription& verb : command.verbs)
    longest = std::max(longest, columns_of(verb.name) - command.name.size() - 1);
  for (const CommandDescription& verb : command.verbs)
    out += entry(verb.name.substr(command.name.size() + 1), verb.brief, longest + 6);
  return out + "\ntailrace " + command.name + " VERB --help has the options of each.\n";
}

}  // namespace tailrace
