#pragma once
// tailrace(1), as roff: man(7) macros, from the descriptions of the commands and the table of settings.

#include <string>
#include <vector>

#include "cli/description.h"

namespace tailrace {

std::string man_page(const std::vector<CommandDescription>& commands);

}  // namespace tailrace
