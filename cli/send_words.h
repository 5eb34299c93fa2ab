#pragma once
// What `tailrace send` says of its work, and what it ends with.

#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/send_input.h"
#include "drains/drain_set.h"

namespace tailrace {

/// `sent 1284, lost 12 (overflow 10, refused 1, not sent in time 1; answered 503)`. `unread`: frames that
/// were no records. Until it has `ended`, what waits is not lost.
std::string send_report(const DrainSet::Account& account, uint64_t unread, bool ended = true);

/// The account as one line of logfmt.
std::string send_stats(const SendInput& input, const DrainSet::Account& account, Micros now);

/// How it ended, by what was lost or left and why.
Exit send_exit(const DrainSet::Account& account, uint64_t unread);

/// What the drain said of its far end, and how to cure it.
std::string with_cure(std::string_view words);

}  // namespace tailrace
