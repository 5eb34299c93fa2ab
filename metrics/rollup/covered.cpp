#include "metrics/rollup/covered.h"

#include <algorithm>
#include <cstddef>

#include "base/varint.h"

namespace tailrace {

void Covered::insert(Position first, Position past) {
  if (first >= past) return;
  // The first range that ends at `first` or behind it, and behind the last one that begins at `past` or
  // before.
  const auto from = std::ranges::lower_bound(ranges_, first, {}, &Range::second);
  const auto until = std::ranges::upper_bound(from, ranges_.end(), past, {}, &Range::first);
  if (from == until) {
    ranges_.insert(from, {first, past});
  } else {
    from->first = std::min(from->first, first);
    from->second = std::max(std::prev(until)->second, past);
    ranges_.erase(std::next(from), until);
  }
}

void Covered::bound(size_t most) {
  if (ranges_.size() <= most) return;
  // Many at once, or each further range would move all the others.
  const auto closed = ranges_.end() - static_cast<ptrdiff_t>(most / 2);
  closed->first = ranges_.front().first;
  ranges_.erase(ranges_.begin(), closed);
}

void Covered::merge(const Covered& other) {
  for (const auto& [first, past] : other.ranges_) add(first, past);
}

bool Covered::holds(Position position) const {
  const auto behind = std::ranges::upper_bound(ranges_, position, {}, &Range::second);
  return behind != ranges_.end() && behind->first <= position;
}

std::vector<Covered::Range> Covered::gaps(Position first, Position past) const {
  std::vector<Range> gaps;
  for (const auto& [begin, end] : ranges_) {
    if (end <= first) continue;
    if (begin >= past) break;
    if (first < begin) gaps.emplace_back(first, begin);
    first = end;
  }
  if (first < past) gaps.emplace_back(first, past);
  return gaps;
}

void Covered::encode(std::string& out) const {
  put_varint(out, ranges_.size());
  uint64_t last = 0;
  for (const auto& [first, past] : ranges_) {
    put_varint(out, first.value - last);
    put_varint(out, past.value - first.value);
    last = past.value;
  }
}

bool Covered::decode(std::string_view& text) {
  uint64_t size = 0;
  if (!take_varint(text, size) || size > kMostRanges) return false;
  Covered covered;
  uint64_t last = 0;
  for (uint64_t i = 0; i < size; ++i) {
    uint64_t gap = 0, width = 0;
    if (!take_varint(text, gap) || !take_varint(text, width) || !width || (i && !gap)) return false;
    const uint64_t first = last + gap, past = first + width;
    if (first < last || past < first) return false;
    covered.ranges_.push_back({{first}, {past}});
    last = past;
  }
  *this = std::move(covered);
  return true;
}

}  // namespace tailrace
