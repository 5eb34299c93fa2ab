#include "web/paging.h"

#include "base/text.h"

namespace tailrace {

std::optional<Page> page_of(const HttpRequest& request) {
  Page page;
  page.after = request.query("after");
  if (const std::string limit = request.query("limit"); !limit.empty()) {
    const auto number = parse_u64(limit);
    if (!number || *number < 1 || *number > 1000) return std::nullopt;
    page.limit = *number;
  }
  return page;
}

}  // namespace tailrace
