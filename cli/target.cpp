#include "cli/target.h"

namespace tailrace {
namespace {

std::string value_of(const SettingValues& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

ApiTarget find_target(const std::string& url_flag, const std::string& auth_flag,
                      const SettingValues& environment, const ReadFile& read_file,
                      const std::optional<DemoFile>& demo) {
  ApiTarget target{url_flag, auth_flag};
  if (target.url.empty()) target.url = value_of(environment, "TAILRACE_URL");
  if (target.auth.empty()) target.auth = value_of(environment, "TAILRACE_AUTH");
  if (target.auth.empty()) {
    if (const std::string path = value_of(environment, "TAILRACE_AUTH_FILE"); !path.empty()) {
      target.auth = read_file(path).value_or("");
      while (target.auth.ends_with('\n') || target.auth.ends_with('\r')) target.auth.pop_back();
    }
  }
  while (target.url.ends_with('/')) target.url.pop_back();
  if (target.auth.empty() && demo && (target.url.empty() || target.url == demo->url)) {
    return {demo->url, demo->auth};
  }
  if (target.url.empty()) target.url = "http://127.0.0.1:8001";
  return target;
}

ApiTarget find_target(const std::string& url_flag, const std::string& auth_flag) {
  return find_target(url_flag, auth_flag, process_environment(), read_small_file, read_demo_file());
}

}  // namespace tailrace
