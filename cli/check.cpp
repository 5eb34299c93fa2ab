#include "cli/check.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/address_policy.h"
#include "channels/disk/keeper.h"
#include "cli/api_client.h"
#include "cli/certificate_check.h"
#include "cli/command.h"
#include "cli/data_dir_check.h"
#include "cli/exit_code.h"
#include "cli/line_text.h"
#include "cli/listen_check.h"
#include "cli/output.h"
#include "cli/setting_flags.h"
#include "cli/setting_sources.h"
#include "net/resolver.h"

namespace tailrace {
namespace {

constexpr std::string_view examples = R"(examples:
  tailrace check
  tailrace check --show                     and where each value comes from
  tailrace check --tls-cert new.pem --tls-key new.key
  tailrace check && systemctl restart tailrace
)";

void check_drains(const Settings& settings, Findings& out) {
  const auto policy = AddressPolicy::parse(settings.drain_allow, settings.drain_deny);
  if (policy && policy->allows(boost::asio::ip::make_address("169.254.169.254")))
    out.warnings.push_back("TAILRACE_DRAIN_ALLOW=" + settings.drain_allow +
                           ": drains may reach the metadata service of this machine's cloud");
  if (!settings.dns.empty()) {
    if (!are_name_servers(settings.dns))
      out.problems.push_back("TAILRACE_DNS=" + settings.dns + ": takes address[:port],…");
    return;
  }
  std::ifstream file("/etc/resolv.conf");
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with("nameserver")) return;
  out.warnings.emplace_back("/etc/resolv.conf: names no name server, and TAILRACE_DNS is not set");
}

/// What the machine gives against what the limits ask for.
void check_machine(const Settings& settings, Findings& out) {
  constexpr rlim_t for_connections = 1024;
  const uint64_t segments =
      settings.data_dir.empty() ? 0 : settings.disk_bytes / segment_bytes_for(settings.disk_bytes);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < for_connections + segments)
    out.warnings.push_back("open files: " + std::to_string(files.rlim_max) + " at most (ulimit -Hn); " +
                           (segments ? std::to_string(segments) + " segments and " : "") +
                           "each connection, drain and tail take one");
  const uint64_t memory = uint64_t(::sysconf(_SC_PHYS_PAGES)) * uint64_t(::sysconf(_SC_PAGE_SIZE));
  if (settings.memory_bytes > memory)
    out.warnings.push_back("TAILRACE_MEMORY_BYTES=" + settings.limits.at("TAILRACE_MEMORY_BYTES") +
                           ": this machine has " + std::to_string(memory >> 20) + "M");
}

void check_secret_files(const SettingsReport& report, Findings& out) {
  for (const SettingsReport::Origin& origin : report.origins) {
    struct stat about{};
    if (!origin.from.starts_with("file ")) continue;
    const std::string path = origin.from.substr(5);
    if (::stat(path.c_str(), &about) == 0 && (about.st_mode & S_IROTH))
      out.warnings.push_back(std::string(origin.spec->variable) + "_FILE=" + path +
                             ": everybody on this machine may read it");
  }
}

Findings check_all(const SettingsReport& report, const SettingValues& environment) {
  Findings out{report.problems, report.warnings};
  for (const std::string& name : report.unknown)
    out.problems.push_back(name + ": no such setting" + did_you_mean(name, setting_names()));
  if (const std::string* url = find_value(environment, "TAILRACE_URL"); url && !split_http_url(*url))
    out.problems.emplace_back("TAILRACE_URL: takes http://host[:port] or https://…");
  check_secret_files(report, out);
  check_server_tls(report.settings.tls, wall_now(), out);
  check_authorities(report.settings.ca_file, out);
  check_data_dir(report.settings, out);
  check_listeners(report.settings, out);
  check_drains(report.settings, out);
  check_machine(report.settings, out);
  return out;
}

/// A line per setting: its value, and where that is from.
std::string table_of(const SettingsReport& report) {
  size_t longest = 0;
  for (const auto& origin : report.origins)
    longest = std::max(longest, origin.spec->variable.size() + 1 + origin.shown.size());
  std::string out;
  for (const auto& origin : report.origins) {
    const std::string pair = one_line(std::string(origin.spec->variable) + "=" + origin.shown);
    const size_t column = std::min<size_t>(longest, 60);
    out += pair + std::string(pair.size() < column ? column - pair.size() : 0, ' ') + "  " +
           (origin.from.empty() ? "default" : one_line(origin.from)) + "\n";
  }
  return out;
}

}  // namespace

int run_check(int argc, char** argv) {
  SettingValues flags;
  bool show = false;
  CommandLine line("check",
                   "says what is wrong with the configuration that serve would have, and changes nothing.",
                   examples);
  line.options().add_flag("--show", show, "each setting, and where its value comes from");
  add_setting_flags(line.options(), flags);
  if (const auto ended = line.parse(argc, argv)) return *ended;

  const SettingValues environment = process_environment();
  const SettingsReport report = report_settings(flags, environment, read_small_file);
  const Findings found = check_all(report, environment);
  std::string out = show ? table_of(report) : "";
  for (const std::string& problem : found.problems) out += "error: " + one_line(problem) + "\n";
  for (const std::string& warning : found.warnings) out += "warning: " + one_line(warning) + "\n";
  if (found.problems.empty()) out += "configuration is good\n";
  if (!write_stdout(out)) return exit_failure;
  return found.problems.empty() ? exit_ok : exit_failure;
}

}  // namespace tailrace
