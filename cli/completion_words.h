#pragma once
// What the scripts of all shells are made with.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/description.h"

namespace tailrace {

using Commands = std::vector<CommandDescription>;

/// What stands for an option's value, as far as a shell can offer some.
enum class ValueKind : uint8_t { none, anything, choice, channel, drain, command, file };
ValueKind value_kind(const OptionDescription& option);

std::string joined(const std::vector<std::string>& words, std::string_view between);
/// `add` of `drains add`
std::string last_word(const std::string& name);
std::vector<std::string> last_words(const Commands& commands);
/// `escape` in front of each character of `text` that stands in `what`.
std::string escaped_in(std::string_view text, std::string_view what, char escape);
/// In the single quotes of bash and zsh.
std::string quoted(std::string_view text);
/// All values of a fixed choice, or the names of the commands, by blanks.
std::string choices_of(const OptionDescription& option, const Commands& all);

}  // namespace tailrace
