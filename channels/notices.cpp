#include "channels/notices.h"

#include <algorithm>

namespace tailrace {

void Notices::add(Position after, std::string line) {
  kept_.push_back({next_id_++, after, std::move(line)});
  if (kept_.size() > kKept) kept_.pop_front();
}

const Notice* Notices::at_or_above(uint64_t id) const {
  const auto found = std::ranges::lower_bound(kept_, id, {}, &Notice::id);
  return found == kept_.end() ? nullptr : &*found;
}

std::vector<Notice> Notices::since(Position from) const {
  const auto first = std::ranges::lower_bound(kept_, from, {}, &Notice::after);
  return {first, kept_.end()};
}

}  // namespace tailrace
