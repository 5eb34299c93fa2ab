#pragma once
// The filter language of docs/drains.md.

#include <string>
#include <string_view>

#include "channels/record_filter.h"

namespace tailrace {

struct ParsedFilter {
  RecordFilterPtr filter;  // null: there is an error
  std::string error;  // `filter: status>=: a number is missing (at 9)`, places counted from 1; valid UTF-8
};

/// 4 KiB and 64 terms at most. A record costs about 50 ns a term; expressions are bounded, so that the worst
/// of them with the worst message of 10,000 bytes takes 40 ms, where usual ones take 20 us. `text` is not
/// empty.
ParsedFilter parse_filter(std::string_view text);

}  // namespace tailrace
