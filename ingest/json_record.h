#pragma once
// A line of application/x-ndjson.

#include <string_view>

#include "base/arena.h"

namespace tailrace {

/// What a line says; empty views and -1 for what it does not. Views into the line, or into the arena if they
/// had to be changed. No blank and no control character in any but `message`.
struct JsonRecord {
  std::string_view message;  // bytes that are no UTF-8 stay as they are
  std::string_view time;     // RFC 3339, as the sender wrote it
  int severity = -1;         // 0 (emergency) to 7 (debug)
  std::string_view host, app, procid, msgid;
};

enum class JsonVerdict {
  ok,
  malformed,  // no JSON object (RFC 8259), deeper than kMaxJsonDepth, or without a string `message`
  too_long,   // the fields other than `message` are beyond kMaxHeader together
};

inline constexpr int kMaxJsonDepth = 64;  // the object itself is 1

/// One pass, nothing allocated but from the arena. Of keys given twice the last counts; other keys than
/// JsonRecord's are skipped. A field of a wrong type, null, an empty one, a `time` that is no RFC 3339 and an
/// unknown `severity` count as not given. `severity` is a name (`warn`, `warning`, … any case) or 0 to 7, as
/// a number or a string; `procid` may be a number. Blanks and controls in host, app, procid and msgid become
/// `_`; half a surrogate pair becomes U+FFFD.
JsonVerdict parse_json_record(std::string_view line, Arena& arena, JsonRecord& out);

}  // namespace tailrace
