#include "cli/setting_sources.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/text.h"
#include "cli/command.h"

namespace tailrace {

std::string shown_setting(const SettingSpec& spec, std::string_view value) {
  if (spec.kind == SettingSpec::secret) return "***";
  std::string text;
  for (const char c : value) text += uint8_t(c) < 0x20 || c == 0x7f ? '?' : c;
  if (spec.variable.ends_with("_LISTEN"))  // a token, or what was meant to be one
    for (size_t at = 0; (at = text.find('?', at)) != std::string::npos;) {
      ++at;
      const size_t end = std::min(text.find(',', at), text.size());
      const bool named = text.compare(at, 6, "token=") == 0;
      text.replace(named ? at + 6 : at, end - at - (named ? 6 : 0), "***");
    }
  for (size_t at = 0; (at = text.find('@', at)) != std::string::npos; ++at) {
    const size_t slashes = text.rfind("//", at);
    if (slashes == std::string::npos) continue;
    text.replace(slashes + 2, at - slashes - 2, "***");
    at = slashes + 5;
  }
  return text;
}

const std::string* find_value(const SettingValues& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() || found->second.empty() ? nullptr : &found->second;
}

std::string refused_setting(std::string_view name, std::string_view value, std::string_view takes) {
  return std::string(name) + "=" + std::string(value) + ": takes " + std::string(takes);
}

GivenSetting given_setting(const SettingSpec& spec, const SettingSources& from) {
  if (spec.kind == SettingSpec::limit)
    if (const std::string* text = find_value(from.limits, spec.variable))
      return {*text, "TAILRACE_LIMITS_FILE", {}};
  for (const SettingValues* values : {&from.flags, &from.environment}) {
    const std::string where = values == &from.flags ? "flag" : "environment";
    if (const std::string* text = find_value(*values, spec.variable)) return {*text, where, {}};
    if (spec.kind != SettingSpec::secret) continue;
    const std::string variable = std::string(spec.variable) + "_FILE";
    if (const std::string* path = find_value(*values, variable)) {
      auto text = from.read_file(*path);
      if (!text) return {{}, {}, refused_setting(variable, *path, "a readable file")};
      while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
      return {std::move(text), "file " + *path, {}};
    }
  }
  if (spec.variable == "TAILRACE_HTTP_LISTEN") {
    if (const std::string* port = find_value(from.environment, "PORT")) {
      const auto number = parse_u64(*port);
      if (!number || *number > 65'535)
        return {{}, {}, refused_setting("PORT", *port, "a number from 0 to 65535")};
      return {"0.0.0.0:" + *port, "environment, PORT", {}};
    }
  }
  if (spec.variable == "TAILRACE_DATA_DIR")
    if (const std::string* dirs = find_value(from.environment, "STATE_DIRECTORY"))  // it may name several
      return {dirs->substr(0, dirs->find(':')), "environment, STATE_DIRECTORY", {}};
  return {};
}

std::string_view standard_of(const SettingSpec& spec, const Settings& settings) {
  const bool on_disk = !settings.data_dir.empty();
  if (spec.variable == "TAILRACE_ACK") return on_disk ? "durable" : "memory";
  if (spec.variable == "TAILRACE_CHANNEL_BYTES" && on_disk) return "1G";
  return spec.standard;
}

void read_limits_file(const std::string& path, const ReadFile& read_file, SettingValues& values,
                      std::vector<std::string>& problems) {
  const auto text = read_file(path);
  if (!text)
    problems.push_back(refused_setting("TAILRACE_LIMITS_FILE", path, "a readable file of NAME=value lines"));
  size_t number = 0;
  for (size_t at = 0; text && at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line = std::string_view(*text).substr(at, end - at);
    at = end + 1;
    ++number;
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!line.empty() && blank(line.front())) line.remove_prefix(1);
    while (!line.empty() && blank(line.back())) line.remove_suffix(1);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const size_t equals = line.find('=');
    if (equals == 0 || equals == line.npos) {
      problems.push_back("TAILRACE_LIMITS_FILE=" + path + ": line " + std::to_string(number) +
                         " takes NAME=value");
      continue;
    }
    std::string_view value = line.substr(equals + 1);
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0])
      value = value.substr(1, value.size() - 2);
    values.insert_or_assign(std::string(line.substr(0, equals)), std::string(value));
  }
}

void judge_limit_names(const SettingSources& from, std::vector<std::string>& unknown,
                       std::vector<std::string>& problems) {
  for (const auto& [name, value] : from.limits) {
    if (!name.starts_with("TAILRACE_")) continue;
    const auto spec = std::ranges::find(setting_specs(), name, &SettingSpec::variable);
    if (spec != setting_specs().end() && spec->kind == SettingSpec::limit) continue;
    if (!is_setting_name(name)) {
      unknown.push_back(name);
      continue;
    }
    const std::string* elsewhere = find_value(from.flags, name);
    if (!elsewhere) elsewhere = find_value(from.environment, name);
    if (!elsewhere || *elsewhere != value)
      problems.push_back(name + ": no limit, ignored in TAILRACE_LIMITS_FILE");
  }
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names{"TAILRACE_URL", "TAILRACE_APP"};
  for (const SettingSpec& spec : setting_specs()) {
    names.emplace_back(spec.variable);
    if (spec.kind == SettingSpec::secret) names.push_back(std::string(spec.variable) + "_FILE");
  }
  return names;
}

bool is_setting_name(std::string_view name) {
  return std::ranges::count(setting_names(), name) > 0;
}

std::string ignored_setting(const std::string& name) {
  return name + ": no such setting, ignored" + did_you_mean(name, setting_names());
}

SettingValues process_environment() {
  SettingValues values;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

std::optional<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(64 << 10, '\0');
  file.read(text.data(), std::streamsize(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(size_t(file.gcount()));
  return text;
}

}  // namespace tailrace
