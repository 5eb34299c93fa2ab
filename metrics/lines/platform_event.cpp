#include "metrics/lines/platform_event.h"

namespace tailrace {
namespace {

std::optional<PlatformEvent> event_of_api(std::string_view message) {
  const auto begins = [&](std::string_view text) { return message.starts_with(text); };
  if (begins("Release v") || begins("Deploy ") || begins("Rollback to v")) return PlatformEvent::deploy;
  if (begins("Scaled to ") || begins("Scale to ")) return PlatformEvent::scale;
  if ((begins("Set ") || begins("Remove ")) && message.find(" config vars") != std::string_view::npos)
    return PlatformEvent::config;
  return std::nullopt;
}

// A process's end is no crash by itself, whatever its status: one-off dynos end with any, and a dyno that is
// restarted ends with 143. Of a crash the platform says `to crashed` besides.
std::optional<PlatformEvent> event_of_dyno(std::string_view message) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  if (message == "Restarting" || message == "Cycling") return PlatformEvent::restart;
  constexpr std::string_view kChange = "State changed from ";
  if (!message.starts_with(kChange)) return std::nullopt;
  message.remove_prefix(kChange.size());
  if (message == "up to starting" || message == "up to bouncing") return PlatformEvent::restart;
  if (message.ends_with(" to crashed")) return PlatformEvent::crash;
  return std::nullopt;
}

}  // namespace

std::string_view platform_event_name(PlatformEvent event) {
  switch (event) {
    case PlatformEvent::deploy:
      return "deploy";
    case PlatformEvent::scale:
      return "scale";
    case PlatformEvent::restart:
      return "restart";
    case PlatformEvent::crash:
      return "crash";
    case PlatformEvent::config:
      return "config";
  }
  return {};
}

std::optional<PlatformEvent> platform_event(std::string_view app, std::string_view procid,
                                            std::string_view message) {
  if (app == "heroku") return event_of_dyno(message);
  if (app == "app" && procid == "api") return event_of_api(message);
  return std::nullopt;
}

}  // namespace tailrace
