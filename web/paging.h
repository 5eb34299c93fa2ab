#pragma once
// Lists that are given in pages.

#include <optional>
#include <string>

#include "net/http.h"

namespace tailrace {

struct Page {
  size_t limit = 1000;
  std::string after;  // the last id of the page before; empty: the first page
};

/// `?limit=` and `?after=`; none: the limit is no good, and kPageLimits says what it takes.
std::optional<Page> page_of(const HttpRequest& request);
inline constexpr const char* kPageLimits = "limit: takes a number from 1 to 1000";

}  // namespace tailrace
