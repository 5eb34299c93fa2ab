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

/// 4 KiB and 64 terms at most, of regular expressions no more than a record can be held against in about a
/// millisecond. `text` is not empty.
ParsedFilter parse_filter(std::string_view text);

}  // namespace tailrace
