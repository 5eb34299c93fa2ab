#pragma once
// What Heroku's platform says it did: deploys, scaling, restarts, changes of the configuration.

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

enum class PlatformEvent : uint8_t { deploy, scale, restart, crash, config };

/// `deploy`, …
std::string_view platform_event_name(PlatformEvent event);

/// What a record says, if it is one of these. `app`, `procid`: as readers see them.
std::optional<PlatformEvent> platform_event(std::string_view app, std::string_view procid,
                                            std::string_view message);

/// One of them, for charts: a point in time and its text.
struct PlatformMark {
  Micros time = 0;
  PlatformEvent event = PlatformEvent::deploy;
  std::string procid, text;  // text: at most 200 bytes
  auto operator<=>(const PlatformMark&) const = default;
};

}  // namespace tailrace
