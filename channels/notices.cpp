#include "channels/notices.h"

#include <algorithm>

namespace tailrace {

void Notices::add(uint64_t after, std::string line) {
  kept_.push_back({next_id_++, after, std::move(line)});
  if (kept_.size() > kKept) kept_.pop_front();
}

uint64_t Notices::first_at(uint64_t ordinal) const {
  const auto found = std::ranges::lower_bound(kept_, ordinal, {}, &Notice::after);
  return found == kept_.end() ? next_id_ : found->id;
}

uint64_t Notices::take_due(uint64_t& next_id, uint64_t ordinal, std::vector<std::string>& lines) const {
  if (next_id == next_id_) return UINT64_MAX;
  for (auto at = std::ranges::lower_bound(kept_, next_id, {}, &Notice::id); at != kept_.end(); ++at) {
    if (at->after > ordinal) return at->after;
    lines.push_back(at->line);
    next_id = at->id + 1;
  }
  return UINT64_MAX;
}

}  // namespace tailrace
