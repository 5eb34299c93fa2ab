#pragma once
// The filter language of docs/drains.md.

#include <optional>
#include <string>
#include <string_view>

#include "channels/record_filter.h"

namespace tailrace {

struct ParsedFilter {
  RecordFilterPtr filter;  // null: there is an error
  std::string error;  // `filter: status>=: a number is missing (at 9)`, places counted from 1; valid UTF-8
};

/// 2 KiB, 32 terms, 8 expressions, 1 KiB of texts and names at most, so that the dearest filter with the
/// dearest message of 10,000 bytes takes 0.6 ms; a usual one takes 50 ns a term. `text` is not empty.
ParsedFilter parse_filter(std::string_view text);

/// A severity by its name, another usual name, or its number; none: it is no severity.
std::optional<int> parse_severity(std::string_view text);

}  // namespace tailrace
