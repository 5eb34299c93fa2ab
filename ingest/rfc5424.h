#pragma once
// The header of RFC 5424, as people send it.

#include <cstdint>
#include <string_view>

namespace tailrace {

/// Views into one frame. Fields that lie side by side stay together, as NewRecord wants them.
struct Syslog {
  uint8_t pri = 0;         // 0 to 191
  std::string_view head;   // `TIME HOST`
  uint16_t time_size = 0;  // of head
  std::string_view app;
  std::string_view ids;      // `PROCID MSGID`
  uint16_t procid_size = 0;  // of ids
  // `-` if there is none. Also at first: gcc clears more than 72 bytes in one go by `rep stos`, which takes
  // as long as the parsing.
  std::string_view sd{"-"};
  std::string_view message;
};

/// Takes `<PRI>VERSION TIME HOST APP PROCID MSGID [SD] [MSG]` with single spaces (RFC 5424 section 6), more
/// lenient in three ways that the field needs: any version, any bytes but blanks and controls in a field, and
/// STRUCTURED-DATA may be missing, as in Logplex's frames.
///
/// Whether `[` begins structured data or a message such as `[info] up` cannot be told from the grammar, since
/// an element may be a bare name. It counts as structured data if it is well formed, a blank or the end
/// follows, and its first element has a parameter, an `@`, or a name that IANA registered (timeQuality,
/// origin, meta).
///
/// False: it is something else, to be kept as a raw record. PRI above 191 and a header beyond kMaxHeader,
/// too.
bool parse_rfc5424(std::string_view frame, Syslog& out);

}  // namespace tailrace
