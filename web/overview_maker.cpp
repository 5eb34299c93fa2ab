#include "web/overview_maker.h"

#include <algorithm>

namespace tailrace {

std::shared_ptr<const Overview> OverviewMaker::latest() {
  const std::lock_guard lock(mutex_);
  if (latest_ && mono_now() - made_ < kNew) return latest_;
  const Micros now = wall_now();
  const std::vector<ChannelRecent> recent = services_.metrics.recent(now);
  std::vector<OverviewRow> rows;
  for (const ChannelPtr& channel : services_.catalog.channels()) {
    OverviewRow& row = rows.emplace_back(row_of(channel, now));
    const auto found = std::ranges::lower_bound(recent, channel->index, {}, &ChannelRecent::index);
    if (found != recent.end() && found->index == channel->index) row.recent = *found;
  }
  latest_ = std::make_shared<const Overview>(now, std::move(rows));
  made_ = mono_now();
  return latest_;
}

OverviewRow OverviewMaker::row_of(const ChannelPtr& channel, Micros now) const {
  OverviewRow row;
  row.index = channel->index;
  row.id = channel->id;
  row.name = channel->name();
  std::optional<std::vector<DrainEntry>> entries;  // asked for where a drain is paused, to know by whom
  const auto held = [&](uint64_t drain) {
    if (!entries) entries = services_.catalog.drains(*channel);
    return std::ranges::any_of(*entries, [&](const DrainEntry& e) { return e.id == drain && e.paused; });
  };
  for (const DrainSet::Account& drain : services_.drains.account(channel).drains) {
    SeenDrain seen;
    seen.state = drain.status.state;
    seen.held = seen.state == DrainState::paused && held(drain.entry.id);
    seen.since = drain.status.since;
    seen.dropped = drain.ledger.dropped;
    seen.buffered = drain.ledger.buffered;
    seen.oldest = drain.oldest;
    if (drain.ledger.dropped_total()) seen.losses = drain.history->losses();
    row.add(seen, now);
  }
  return row;
}

OverviewMaker::Details OverviewMaker::details(const OverviewRow& row, Micros now) {
  constexpr size_t kMostDynos = 3;
  Details details;
  const bool slow = row.has(Trouble::slow), errors = row.has(Trouble::errors);
  if (slow) details.slow_dynos = services_.metrics.slowest_dynos(row.index, kSlow, kMostDynos, now);
  if (!slow && !errors) return details;
  const Since told = since(row.index, now);
  if (slow) details.slow_since = told.slow;
  if (errors) details.errors_since = told.errors;
  return details;
}

OverviewMaker::Since OverviewMaker::since(uint32_t channel, Micros now) {
  constexpr size_t kMostKept = 2000;
  const Mono begin = mono_now();
  {
    const std::lock_guard lock(since_mutex_);
    const auto known = since_.find(channel);
    if (known != since_.end() && begin - known->second.read < kSinceNew) return known->second;
  }
  Since told;
  told.read = begin;
  if (const auto answer =
          services_.rollups.read(channel, now - kTroubleReach, now + kMostAhead, trouble_series())) {
    told.slow = slow_since(*answer, now);
    told.errors = errors_since(*answer, now);
  }
  const std::lock_guard lock(since_mutex_);
  if (since_.size() >= kMostKept)
    std::erase_if(since_, [&](const auto& known) { return begin - known.second.read >= kSinceNew; });
  if (since_.size() >= kMostKept) since_.clear();
  since_[channel] = told;
  return told;
}

}  // namespace tailrace
