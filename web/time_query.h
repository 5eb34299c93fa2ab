#pragma once
// Which stretch of time a question about the past asks for, and in which steps.

#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http.h"

namespace tailrace {

/// As a query or a link has them; empty: not said.
struct TimeTexts {
  std::string from, to, step;
};
TimeTexts time_texts(const HttpRequest& request);

struct TimeQuery {
  Micros from = 0, to = 0;  // multiples of `step`
  Micros step = 0;          // a multiple of a minute
};

/// `from`, `to`: RFC 3339, Unix seconds, `now`, or so long before `now`; `step`: a duration or seconds. By
/// default the last hour in minutes. Steps that are cut at either end are asked for whole. None: `error` says
/// what is wrong, for people, and begins with the field.
std::optional<TimeQuery> time_query(const TimeTexts& texts, Micros now, std::string& error);

}  // namespace tailrace
