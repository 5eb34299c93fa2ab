#pragma once
// BSD syslog (RFC 3164), as senders write it.

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

/// What a BSD frame says, in RFC 5424's fields: no blank and no control character in any but `message`, and
/// all of them together within kMaxHeader. Views into the frame, `time` perhaps into the object itself.
struct Bsd {
  Bsd() = default;
  Bsd(const Bsd&) = delete;
  Bsd& operator=(const Bsd&) = delete;

  uint8_t pri = 0;                                    // 0 to 191
  std::string_view time;                              // RFC 3339
  std::string_view host{"-"}, app{"-"}, procid{"-"};  // `-` if the frame names none
  std::string_view message;                           // bytes untouched, a trailing newline included
  char time_text[32];  // where `time` is written unless the sender wrote RFC 3339
};

/// Takes `<PRI>TIME [HOST] [TAG[PID]:] MSG`, and false if PRI (0 to 191) or TIME is none: such a frame is
/// kept raw. TIME without a year is in the year that brings it nearest to `now`, and in UTC; the sender's
/// fraction is kept to microseconds. TIME is one of
///
///   Nov 21 07:45:54       the day padded by a blank, a zero or nothing; `.123` or `,123` may follow
///   Nov 21 2026 07:45:54  or 2026 Nov 21 07:45:54
///   2026-11-21T07:45:54.123456+00:00   taken as it is; with a blank for the T, or without a zone: as UTC
///
/// Before it may stand what Cisco writes: a sequence number, a name (its host), each with `: `, and `*` or
/// `.`; behind it a zone. A numeric zone is kept, a name (UTC, GMT, Z, CEST …) taken as UTC.
///
/// HOST or TAG? What is read as a host no longer shows in a tail, what is read as a tag or message does; so a
/// word is a host only if nothing speaks against it. The first word behind TIME is
///   1. a TAG if it is a token's id (it never counts as a host: hosts are shown to readers), or if a `:` or
///      `[PID]` makes it one: `tag: msg`, `tag[7]: msg`, `tag[7] msg`, `tag:msg`; there is no HOST then, as
///      from syslog(3). An IPv6 address is no tag; nor is `name:` before a Cisco mnemonic, it is a HOST;
///   2. else a HOST if it has the characters of a name or address and a blank follows;
///   3. else the message begins there.
/// Behind HOST stands a TAG by the same marks, or the message (APP-NAME `-`): a bare word is no TAG, since
/// nothing tells `su failed` from `Link down`, and the words of a message stay together that way. rsyslog and
/// syslog-ng take the word away from the message. One blank behind HOST and behind TAG is not MSG's.
bool parse_rfc3164(std::string_view frame, Micros now, Bsd& out);

}  // namespace tailrace
