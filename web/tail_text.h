#pragma once
// What a reader gets: records, notices and heartbeats in each form that contract section 4 and docs/tails.md
// have.

#include <cstdint>
#include <string>
#include <string_view>

#include "channels/position.h"
#include "channels/record.h"

namespace tailrace {

enum class TailForm : uint8_t {
  text,    // `TIME APP[PROCID]: MSG`, TIME as the sender wrote it, exactly one newline at its end
  ndjson,  // an object a line
  events,  // server-sent events: `id: N`, `data:` with that object, an empty line
  lines,   // text in frames that carry numbers: `N SIZE`, a newline, and SIZE bytes of text
};

/// In JSON, `message` is without one newline at its end, and invalid UTF-8 is U+FFFD, one for each maximal
/// part of a character.
void append_record(std::string& out, TailForm form, Position position, const Record& record);

/// `line` is `TIME APP[PROCID]: TEXT`, without a newline, as channels/notices.h has it. In JSON it is what a
/// record is, without `seq`; an event of it has no id.
void append_notice(std::string& out, TailForm form, std::string_view line);

/// Of events and lines: `position` is the last one that the reader has, or will not get because it is not
/// his.
void append_heartbeat(std::string& out, TailForm form, Position position);

/// The object of a record without braces: `"seq":7,"time":…,"message":…`.
void append_json_fields(std::string& out, Position position, const Record& record);
/// A JSON string with its quotes, of any bytes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace tailrace
