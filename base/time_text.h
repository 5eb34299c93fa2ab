#pragma once
// Times and durations as text: RFC 3339 out, RFC 3339 in, and the configuration's `500ms`, `30s`, `5m`.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

/// `2026-11-21T01:02:03.456789+00:00`, the form of Heroku's log lines.
std::string rfc3339_micros(Micros t);

/// `2026-11-21T01:02:03+00:00`, the form of Logplex's L10 and L11.
std::string rfc3339_seconds(Micros t);

/// `2026-11-21T01:02:03.456Z`, the form of the JSON API.
std::string rfc3339_json(Micros t);

/// Writes the 32 bytes of rfc3339_micros to `out` and returns 32. No allocation.
size_t write_rfc3339_micros(Micros t, char* out);

/// RFC 3339 section 5.6, any number of fraction digits (kept to microseconds), `Z` or a numeric offset.
/// None if it is anything else.
std::optional<Micros> parse_rfc3339(std::string_view text);

/// `4m12s`, `1h3m`, `12s`, `350ms`: the two largest units, for people.
std::string duration_text(std::chrono::microseconds d);

/// `500ms`, `30s`, `5m`, `2h`, `7d`. None for anything else, a missing unit and overflow included.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Bytes, or `64K`, `256M`, `2G` (powers of 1,024). None for anything else, overflow included.
std::optional<uint64_t> parse_size(std::string_view text);

}  // namespace tailrace
