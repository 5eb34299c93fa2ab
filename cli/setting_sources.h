#pragma once
// Where the text of a setting comes from.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/settings.h"

namespace tailrace {

/// The first that has one wins; an empty text is none.
struct SettingSources {
  SettingValues limits;  // of TAILRACE_LIMITS_FILE, whose limits come before all: it alone can change
  const SettingValues& flags;
  const SettingValues& environment;
  const ReadFile& read_file;
};

struct GivenSetting {
  std::optional<std::string> text;  // none: the default holds
  std::string from;                 // `flag`, `environment`, `file PATH`, …
  std::string problem;              // it is in a file that cannot be read
};
GivenSetting given_setting(const SettingSpec& spec, const SettingSources& from);

/// The default; of some it depends on what was read before.
std::string_view standard_of(const SettingSpec& spec, const Settings& settings);

const std::string* find_value(const SettingValues& values, std::string_view name);

/// Lines of NAME=value as systemd's EnvironmentFile has them: blank ones and those that begin with # or ; say
/// nothing, and a value may stand in quotes. Lines that are none of these are `problems`.
void read_limits_file(const std::string& path, const ReadFile& read_file, SettingValues& values,
                      std::vector<std::string>& problems);

/// What stands in the limits file and means nothing there. The file may be other programs' as well, such as
/// systemd's; only what looks like ours is looked at. `unknown`: names that mean nothing anywhere.
void judge_limit_names(const SettingSources& from, std::vector<std::string>& unknown,
                       std::vector<std::string>& problems);

/// All variables that mean something, those of the commands too.
std::vector<std::string> setting_names();
bool is_setting_name(std::string_view name);
/// `NAME: no such setting, ignored`, and which was probably meant.
std::string ignored_setting(const std::string& name);

/// `NAME=value: takes …`
std::string refused_setting(std::string_view name, std::string_view value, std::string_view takes);
/// The value as others may see it: no credential, no token, no password in a URL, no control character.
std::string shown_setting(const SettingSpec& spec, std::string_view value);

}  // namespace tailrace
