#include "web/overview.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_set>

namespace tailrace {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// The power of two below; less than any for nothing.
int64_t power_of(double value) {
  return value > 0 ? std::ilogb(value) : -2000;
}

/// The more, the worse.
int64_t how_bad(const OverviewRow& row) {
  if (row.troubles.empty()) return 0;
  switch (row.troubles.front()) {
    case Trouble::losing:
      return power_of(static_cast<double>(row.lost_lately));
    case Trouble::failing:
      return -row.failing_since;
    case Trouble::errors:
      return power_of(*row.error_share());
    case Trouble::slow:
      return power_of(row.recent.p95);
    case Trouble::lagging:
      return power_of(row.waiting_seconds);
  }
  return 0;
}

uint64_t sum(const Drops& drops) {
  uint64_t all = 0;
  for (const uint64_t records : drops) all += records;
  return all;
}

/// What a sort goes by, the greatest first; what has none of it comes last.
double amount(const OverviewRow& row, OverviewSort sort) {
  switch (sort) {
    case OverviewSort::p95:
      return row.recent.timed ? row.recent.p95 : -1;
    case OverviewSort::errors:
      return row.error_share().value_or(-1);
    case OverviewSort::lag:
      return row.lag_seconds;
    case OverviewSort::loss:
      return static_cast<double>(sum(row.dropped));
    case OverviewSort::worst:
    case OverviewSort::name:
    case OverviewSort::rate:
      break;
  }
  return 0;
}

}  // namespace

void OverviewRow::add(const SeenDrain& drain, Micros now) {
  ++drains[static_cast<size_t>(drain.state)];
  for (size_t reason = 0; reason < dropped.size(); ++reason) dropped[reason] += drain.dropped[reason];
  for (const LostRange& lost : drain.losses) {
    lost_at = std::max(lost_at, lost.until);
    if (lost.until >= now - kLosingFor) lost_lately += lost.records;
  }
  const bool failing =
      drain.state == DrainState::failing || (drain.state == DrainState::paused && !drain.held);
  if (failing && (!failing_since || drain.since < failing_since)) failing_since = drain.since;
  const double lag = drain.oldest ? static_cast<double>(std::max<Micros>(now - drain.oldest, 0)) / 1e6 : 0;
  lag_records = std::max(lag_records, drain.buffered);
  lag_seconds = std::max(lag_seconds, lag);
  if (!failing) waiting_seconds = std::max(waiting_seconds, lag);
}

void OverviewRow::judge(Micros now) {
  troubles.clear();
  const auto judge_one = [&](Trouble trouble, bool is_so) {
    if (is_so) troubles.push_back(trouble);
  };
  judge_one(Trouble::losing, lost_at && lost_at >= now - kLosingFor);
  judge_one(Trouble::failing, failing_since != 0);
  judge_one(Trouble::errors, recent.failed >= kErrorRequests && error_share().value_or(0) >= kErrorShare);
  judge_one(Trouble::slow, recent.timed >= kSlowRequests && recent.p95 >= kSlow);
  judge_one(Trouble::lagging, waiting_seconds >= kLagging);
}

bool OverviewRow::has(Trouble trouble) const {
  return std::ranges::find(troubles, trouble) != troubles.end();
}

std::optional<double> OverviewRow::error_share() const {
  if (!recent.requests) return std::nullopt;
  return static_cast<double>(recent.failed) / static_cast<double>(recent.requests);
}

Overview::Overview(Micros now, std::vector<OverviewRow> rows) : now_(now), rows_(std::move(rows)) {
  keys_.reserve(rows_.size());
  for (OverviewRow& row : rows_) {
    row.judge(now);
    const size_t worst = row.troubles.empty() ? kTroubles.size() : static_cast<size_t>(row.troubles.front());
    keys_.push_back({&row, lower(row.name.empty() ? row.id : row.name), lower(row.id), worst, -how_bad(row),
                     -power_of(row.recent.records_per_second)});
  }
}

bool Overview::before(const Key& a, const Key& b, OverviewSort sort) {
  const OverviewRow &left = *a.row, &right = *b.row;
  // A shorter id first, so that 2 is before 10.
  const auto by_name = [](const Key& key) {
    return std::tuple(std::string_view(key.name), key.row->id.size(), std::string_view(key.row->id));
  };
  if (sort == OverviewSort::name) return by_name(a) < by_name(b);
  if (sort == OverviewSort::worst) {
    const auto rank = [](const Key& key) { return std::tuple(key.worst, key.good, key.slow); };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return by_name(a) < by_name(b);
  }
  if (const double l = amount(left, sort), r = amount(right, sort); l != r) return l > r;
  if (const double l = left.recent.records_per_second, r = right.recent.records_per_second; l != r)
    return l > r;
  return by_name(a) < by_name(b);
}

Overview::Page Overview::page(const OverviewQuery& query, const Permissions& permissions) const {
  const std::unordered_set<std::string_view> readable(permissions.read.begin(), permissions.read.end());
  const std::string search = lower(query.search);
  Page page;
  std::vector<const Key*> matching;
  for (const Key& key : keys_) {
    const OverviewRow& row = *key.row;
    if (!permissions.full_api && !readable.contains(row.id)) continue;
    ++page.total;
    page.records_per_second += row.recent.records_per_second;
    for (size_t state = 0; state < page.drains.size(); ++state) page.drains[state] += row.drains[state];
    if (key.name.find(search) != std::string::npos || key.id.find(search) != std::string::npos)
      matching.push_back(&key);
  }
  page.matching = matching.size();
  const size_t begin = std::min(query.offset, matching.size());
  const size_t end = begin + std::min(query.limit, matching.size() - begin);
  std::partial_sort(matching.begin(), matching.begin() + static_cast<std::ptrdiff_t>(end), matching.end(),
                    [&](const Key* a, const Key* b) { return before(*a, *b, query.sort); });
  for (size_t i = begin; i < end; ++i) page.rows.push_back(matching[i]->row);
  return page;
}

}  // namespace tailrace
