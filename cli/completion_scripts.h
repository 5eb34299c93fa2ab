#pragma once
// Completion as scripts of three shells, from the descriptions of the commands.

#include <string>
#include <vector>

#include "cli/description.h"

namespace tailrace {

std::string bash_completion(const std::vector<CommandDescription>& commands);
std::string zsh_completion(const std::vector<CommandDescription>& commands);
std::string fish_completion(const std::vector<CommandDescription>& commands);

}  // namespace tailrace
