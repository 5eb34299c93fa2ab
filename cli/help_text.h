#pragma once
// A command's help, from its description: examples first, no line over 80 columns.

#include <string>
#include <string_view>
#include <vector>

#include "cli/description.h"

namespace tailrace {

std::string help_text(const CommandDescription& command);

/// `-a,--app APP`
std::string usage_of(const OptionDescription& option);
/// Its help, and its choices if the help does not name them.
std::string meaning_of(const OptionDescription& option);

/// `a, b or c`
std::string either(const std::vector<std::string>& words);

/// Words of `text` in lines of at most `width` columns, each begun with `indent` blanks but the first.
std::string wrapped(std::string_view text, size_t indent, size_t width = 80);
/// Columns of a terminal, for text in which each character takes one.
size_t columns_of(std::string_view text);

}  // namespace tailrace
