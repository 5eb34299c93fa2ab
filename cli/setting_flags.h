#pragma once
// The settings as options of a command.

#include <CLI/CLI.hpp>

#include "cli/settings.h"

namespace tailrace {

/// Each flag is a setting's variable in another dress: its text goes to `flags` under that variable, and is
/// read by the table, not by CLI11. `flags` outlives the parsing.
void add_setting_flags(CLI::App& options, SettingValues& flags);

}  // namespace tailrace
