#pragma once
// A record as a reader sees it, and whether this reader wants it.

#include <string>
#include <string_view>

#include "channels/position.h"
#include "channels/record.h"
#include "web/sessions.h"

namespace tailrace {

/// `web` matches `web` and `web.1`, not `webhook.1`; empty filters match everything.
bool matches(const TailQuery& query, const Record& record);
/// Every record does.
bool matches_all(const TailQuery& query);

/// Appends `TIME APP[PROCID]: MSG`, exactly one newline at its end, TIME as the sender wrote it.
void append_line(std::string& out, const Record& record);

/// Appends the ndjson object of contract section 4, without braces and newline:
/// `"seq":7,"time":…,"message":…`. Invalid UTF-8 is U+FFFD, one for each maximal part of a character.
void append_json_fields(std::string& out, Position position, const Record& record);
/// A JSON string with its quotes, of any bytes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tailrace
