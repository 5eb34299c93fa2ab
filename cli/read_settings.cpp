#include <algorithm>
#include <thread>

#include "cli/setting_sources.h"
#include "cli/settings.h"

namespace tailrace {
namespace {

/// What only some settings together get wrong.
void judge_together(const Settings& settings, std::vector<std::string>& problems) {
  if (settings.ack == Ack::durable && settings.data_dir.empty())
    problems.emplace_back("TAILRACE_ACK=durable: needs TAILRACE_DATA_DIR");
  const bool https = !settings.https_listen.empty();
  if (!https && settings.syslog_tls_listen.empty()) return;
  const std::string wanted = https ? "TAILRACE_HTTPS_LISTEN" : "TAILRACE_SYSLOG_TLS_LISTEN";
  if (settings.tls.cert.empty()) problems.push_back("TAILRACE_TLS_CERT: " + wanted + " needs it");
  if (settings.tls.key.empty()) problems.push_back("TAILRACE_TLS_KEY: " + wanted + " needs it");
}

/// Empty: it has its value now. Else what is wrong, and nothing changed.
std::string read_setting(const SettingSpec& spec, Settings& settings, const std::string& text) {
  if (spec.kind == SettingSpec::unbuilt)
    return text == spec.standard
               ? ""
               : std::string(spec.variable) + "=" + shown_setting(spec, text) + ": not built yet";
  Settings changed = settings;  // a refused value may leave something behind
  if (!spec.read(changed, text)) return refused_setting(spec.variable, shown_setting(spec, text), spec.takes);
  settings = std::move(changed);
  if (spec.kind == SettingSpec::limit) settings.limits.insert_or_assign(std::string(spec.variable), text);
  return {};
}

}  // namespace

SettingsReport report_settings(const SettingValues& flags, const SettingValues& environment,
                               const ReadFile& read_file) {
  SettingsReport out;
  out.settings.threads = std::max(1u, std::thread::hardware_concurrency());
  SettingSources from{{}, flags, environment, read_file};
  const std::string* limits_file = find_value(flags, "TAILRACE_LIMITS_FILE");
  if (!limits_file) limits_file = find_value(environment, "TAILRACE_LIMITS_FILE");
  if (limits_file) read_limits_file(*limits_file, read_file, from.limits, out.problems);

  for (const SettingSpec& spec : setting_specs()) {
    GivenSetting given = given_setting(spec, from);
    const std::string standard(standard_of(spec, out.settings));
    if (given.text) given.problem = read_setting(spec, out.settings, *given.text);
    if ((!given.text || !given.problem.empty()) && !standard.empty())
      (void)read_setting(spec, out.settings, standard);
    const std::string text = given.text.value_or(standard);
    out.origins.push_back({&spec, text.empty() ? "" : shown_setting(spec, text), given.from});
    if (!given.problem.empty()) out.problems.push_back(std::move(given.problem));
  }
  judge_together(out.settings, out.problems);
  for (const auto& [name, value] : environment)
    if (name.starts_with("TAILRACE_") && !is_setting_name(name)) out.unknown.push_back(name);
  judge_limit_names(from, out.unknown, out.warnings);
  return out;
}

SettingsOutcome read_settings(const SettingValues& flags, const SettingValues& environment,
                              const ReadFile& read_file) {
  SettingsReport report = report_settings(flags, environment, read_file);
  SettingsOutcome out;
  if (!report.problems.empty()) {
    out.error = std::move(report.problems.front());
    return out;
  }
  out.settings = std::move(report.settings);
  out.warnings = std::move(report.warnings);
  for (const std::string& name : report.unknown) out.warnings.push_back(ignored_setting(name));
  std::ranges::sort(out.warnings);
  return out;
}

LimitsOutcome reread_limits(Settings& settings, const SettingValues& flags, const SettingValues& environment,
                            const ReadFile& read_file) {
  LimitsOutcome out;
  if (settings.limits_file.empty()) return out;
  SettingSources from{{}, flags, environment, read_file};
  read_limits_file(settings.limits_file, read_file, from.limits, out.problems);
  if (!out.problems.empty()) return out;
  for (const SettingSpec& spec : setting_specs()) {
    if (spec.kind != SettingSpec::limit) continue;
    const std::string text =
        given_setting(spec, from).text.value_or(std::string(standard_of(spec, settings)));
    const std::string before = settings.limits.find(spec.variable)->second;
    if (text == before) continue;
    if (const std::string problem = read_setting(spec, settings, text); !problem.empty())
      out.problems.push_back(problem + "; " + before + " is kept");
    else
      out.changed.push_back(std::string(spec.variable) + "=" + text);
  }
  std::vector<std::string> unknown;
  judge_limit_names(from, unknown, out.problems);
  for (const std::string& name : unknown) out.problems.push_back(ignored_setting(name));
  return out;
}

}  // namespace tailrace
