#pragma once
// Which Tailrace a command talks to, and as whom.

#include <optional>
#include <string>

#include "cli/demo_file.h"
#include "cli/settings.h"

namespace tailrace {

struct ApiTarget {
  std::string url;
  std::string auth;  // `user:password`; empty: none known
};

/// `--url` and `--auth` over TAILRACE_URL, TAILRACE_AUTH and TAILRACE_AUTH_FILE over the running demo's file
/// over http://127.0.0.1:8001. The demo's credential goes to the demo's own URL and nowhere else.
ApiTarget find_target(const std::string& url_flag, const std::string& auth_flag,
                      const SettingValues& environment, const ReadFile& read_file,
                      const std::optional<DemoFile>& demo);

/// The same with this process's environment, files and demo.
ApiTarget find_target(const std::string& url_flag, const std::string& auth_flag);

}  // namespace tailrace
