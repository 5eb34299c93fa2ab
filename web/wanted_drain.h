#pragma once
// What a request says a drain is to be.

#include <optional>
#include <string>

#include "channels/catalog.h"
#include "drains/target.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

struct WantedDrain {
  std::string url;  // empty: none is given
  DrainChoice choice;
  JudgedTarget judged;  // where that URL with these options sends to
};

/// The request's body, judged. The answer if it is no good; a missing URL is no good unless `may_reserve`.
std::optional<HttpResponse> read_wanted_drain(const WebServices& services, const HttpRequest& request,
                                              bool may_reserve, WantedDrain& wanted);

/// Where a drain begins or is put back to: `15m` ago, at an RFC 3339 time, or `oldest` (0). None: it is
/// something else, and kBeginTimes says what it takes.
std::optional<Micros> begin_time(std::string_view text, Micros now);
inline constexpr std::string_view kBeginTimes = "since: takes a duration (15m), an RFC 3339 time, or oldest";

}  // namespace tailrace
