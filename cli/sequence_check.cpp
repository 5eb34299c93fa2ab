#include "cli/sequence_check.h"

#include "base/text.h"

namespace tailrace {
namespace {

constexpr size_t most_sources = 100'000;  // what comes from further ones counts as unnumbered

// The text behind the last ` seq=`, up to a blank; empty if there is none.
std::string_view sequence_text(std::string_view message) {
  for (size_t at = message.rfind("seq="); at != std::string_view::npos && at != 0;
       at = message.rfind("seq=", at - 1)) {
    if (message[at - 1] != ' ') continue;
    const std::string_view rest = message.substr(at + 4);
    return rest.substr(0, rest.find_first_of(" \n\r"));
  }
  return {};
}

}  // namespace

bool NumberSet::insert(uint64_t n) {
  auto after = ranges_.upper_bound(n);
  const auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
  if (before != ranges_.end() && n <= before->second) return false;
  ++size_;
  const bool joins_before = before != ranges_.end() && before->second + 1 == n;
  const bool joins_after = after != ranges_.end() && n + 1 == after->first;
  if (joins_before && joins_after) {
    before->second = after->second;
    ranges_.erase(after);
  } else if (joins_before) {
    before->second = n;
  } else if (joins_after) {
    const uint64_t last = after->second;
    after = ranges_.erase(after);
    ranges_.emplace_hint(after, n, last);
  } else {
    ranges_.emplace_hint(after, n, n);
  }
  return true;
}

void SequenceCheck::note(std::string_view message) {
  const std::string_view text = sequence_text(message);
  const size_t dash = text.find('-');
  const std::string_view source = dash == std::string_view::npos ? std::string_view{} : text.substr(0, dash);
  const auto number = parse_u64(dash == std::string_view::npos ? text : text.substr(dash + 1));
  if (!number || *number == UINT64_MAX || source.size() > 16) {
    ++counts_.unnumbered;
    return;
  }
  auto found = sources_.find(source);
  if (found == sources_.end()) {
    if (sources_.size() >= most_sources) {
      ++counts_.unnumbered;
      return;
    }
    found = sources_.emplace(source, NumberSet{}).first;
    ++counts_.sources;
  }
  NumberSet& seen = found->second;
  const bool behind = !seen.empty() && *number < seen.highest();
  const uint64_t holes = seen.holes();
  if (!seen.insert(*number)) {
    ++counts_.repeated;
    return;
  }
  ++counts_.unique;
  if (behind) ++counts_.reordered;
  counts_.missing += seen.holes() - holes;  // may be less than none: modulo 2^64
}

}  // namespace tailrace
