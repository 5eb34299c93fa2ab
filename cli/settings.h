#pragma once
// The configuration of `serve` and `demo`: one table of variables, read from flag over environment over
// default.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/server_tls.h"
#include "web/api_state.h"

namespace tailrace {

struct SyslogListen {
  std::string address;               // `host:port`
  std::optional<std::string> token;  // `t.<uuid>`: every record of this listener is this token's
  bool operator==(const SyslogListen&) const = default;
};

/// When a POST is answered 2xx: behind the append in memory, or behind the sync.
enum class Ack : uint8_t { memory, durable };

/// Variable name to text. A flag stands under its variable's name.
using SettingValues = std::map<std::string, std::string, std::less<>>;

/// Checked values; nothing here needs a second look. Addresses are `host:port` as net/listener.h parses them.
struct Settings {
  std::string http_listen, admin_listen;
  std::vector<SyslogListen> syslog_listen;      // empty: off
  std::vector<SyslogListen> syslog_udp_listen;  // empty: off
  std::vector<SyslogListen> syslog_tls_listen;  // empty: off
  std::string https_listen;                     // empty: off
  TlsFiles tls;                                 // cert and key are there if something listens with TLS
  std::string auth_user, auth_password;         // both empty while auth_generated
  bool auth_generated = true;                   // nobody gave one: make one up
  std::string data_dir;                         // empty: everything in memory
  Ack ack = Ack::memory;                        // durable: there is a data dir
  std::string public_url;                       // without a trailing slash; empty: from the request
  size_t threads = 1;
  std::chrono::milliseconds grace{};
  uint64_t channel_records = 0;
  uint64_t channel_bytes = 0;
  std::chrono::milliseconds channel_age{};
  uint64_t channel_drains = 0;
  uint64_t memory_bytes = 0;
  uint64_t disk_bytes = 0;
  uint64_t channel_rate = 0;  // records per second; 0: off
  uint64_t channel_series = 0, series = 0;
  bool router_by_dyno = false, router_by_host = false;
  ApiState api_state = ApiState::normal;
  std::string drain_allow, drain_deny;  // as AddressPolicy::parse takes them
  std::string dns;                      // `address:port,…`; empty: the system's
  std::string ca_file;                  // empty: the system's
  std::string limits_file;              // empty: limits do not change
  SettingValues limits;                 // the text that each limit has its value from
};

/// One row of the table; `serve --help` and the tests read it too.
struct SettingSpec {
  enum Kind : uint8_t {
    plain,
    secret,   // also NAME_FILE; shown nowhere
    limit,    // may change while the process runs, by TAILRACE_LIMITS_FILE
    unbuilt,  // only `standard` is accepted so far
  };

  std::string_view variable;  // TAILRACE_HTTP_LISTEN
  std::string_view standard;  // the default, as text; empty: none
  std::string_view takes;     // what a value looks like, for errors
  std::string_view help;      // one line
  Kind kind;
  bool (*read)(Settings&, std::string_view value);  // false: not what it takes

  /// `--http-listen`
  std::string flag() const;
};
const std::vector<SettingSpec>& setting_specs();

/// The text of a file, or none. A seam, so that read_settings stays a function of its arguments.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

/// All there is to say of a configuration, not the first wrong thing only.
struct SettingsReport {
  struct Origin {
    const SettingSpec* spec;
    std::string shown;  // the value, secrets hidden
    std::string from;   // `flag`, `environment`, `file PATH`, …; empty: the default
  };

  Settings settings;                  // what is refused is as if it were not there
  std::vector<std::string> problems;  // one line each
  std::vector<std::string> warnings;  // one line each
  std::vector<std::string> unknown;   // names that look like settings and are none
  std::vector<Origin> origins;        // of each setting, in the table's order
};
SettingsReport report_settings(const SettingValues& flags, const SettingValues& environment,
                               const ReadFile& read_file);

struct SettingsOutcome {
  std::optional<Settings> settings;
  std::string error;                  // the first of the problems; set if there are no settings
  std::vector<std::string> warnings;  // one line each
};

/// An empty value counts as not given. `PORT` is http_listen's if nothing more exact is given.
SettingsOutcome read_settings(const SettingValues& flags, const SettingValues& environment,
                              const ReadFile& read_file);

/// SIGHUP: each limit as the file has it now, else flag, environment or default. What is no good is left as
/// it was.
struct LimitsOutcome {
  std::vector<std::string> changed;   // `TAILRACE_CHANNEL_RATE=100`
  std::vector<std::string> problems;  // one line each
};
LimitsOutcome reread_limits(Settings& settings, const SettingValues& flags, const SettingValues& environment,
                            const ReadFile& read_file);

/// The process's own environment, and files from the disk (64 KiB at most).
SettingValues process_environment();
std::optional<std::string> read_small_file(const std::string& path);

}  // namespace tailrace
