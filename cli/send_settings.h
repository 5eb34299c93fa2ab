#pragma once
// What `tailrace send` was told, judged.

#include <chrono>
#include <optional>
#include <string>

#include "cli/send_input.h"
#include "cli/settings.h"
#include "drains/target.h"

namespace tailrace {

/// The flags as they were given; empty: not given.
struct SendFlags {
  std::string url, bearer_token, appname, hostname, procid, msgid, prival, format, batch_size, wait, max_line,
      buffer, full, grace, ca_file, stats_interval;
  bool gzip = false, zstd = false, tee = false, quiet = false;
};

/// Checked values; nothing here needs a second look.
struct SendSettings {
  JudgedTarget far_end;
  SendInput::Form form = SendInput::Form::raw;
  SendFields fields;
  uint64_t buffer = 0;
  std::optional<bool> block;                            // none: whatever stdin is decides
  std::chrono::milliseconds grace{}, stats_interval{};  // stats_interval 0: none
  std::string ca_file, name_servers;
  bool tee = false, quiet = false;
};

struct SendSettingsOutcome {
  std::optional<SendSettings> settings;
  std::string error;  // one line; set if there are no settings
};

/// `--url` over LOGS_URL over LOGS_URL_FILE over LOGPLEX_URL; the bearer token likewise, LOGS_BEARER_TOKEN.
/// One `host_name` is the machine's.
SendSettingsOutcome read_send_settings(const SendFlags& flags, const SettingValues& environment,
                                       const ReadFile& read_file, const std::string& host_name);

}  // namespace tailrace
