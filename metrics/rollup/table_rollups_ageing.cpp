// How a store of rollups gets older: what time and the bound make coarser, and let go.

#include <algorithm>
#include <chrono>
#include <queue>

#include "base/log.h"
#include "metrics/rollup/table_rollups.h"

namespace tailrace {
namespace {

// Merged in one transaction when they have aged.
constexpr size_t kWindowsPerStep = 512, kBytesPerStep = 256 << 10;

/// The length into which windows of a kind go; behind the last one they are dropped by the hour.
constexpr Micros next_length(size_t kind) {
  return kWindowLengths[std::min(kind + 1, kWindowKinds - 1)];
}

}  // namespace

Result<void> TableRollups::compact(Micros now) {
  {
    const std::lock_guard lock(mutex_);
    now = believed(now);
  }
  if (const auto done = put_floors_back(now); !done) return done;
  for (size_t kind = 0; kind < kWindowKinds; ++kind) {
    // Whole windows of the next length at once, so that each of those is fine or coarse.
    if (const auto done = raise_floor(kind, kept_from(kind, now)); !done) return done;
  }
  return hold_bound(now);
}

/// `now`, unless it has jumped ahead since the last time: then what it would be otherwise, until it has been
/// ahead for some time. Under the lock.
Micros TableRollups::believed(Micros now) {
  constexpr std::chrono::minutes kJump(5), kDoubted(10);
  const auto micros = [](auto duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  const Mono at = clocks_.steady();
  if (believed_) {
    const Micros expected = believed_->wall + micros(at - believed_->steady);
    if (now - expected > micros(kJump)) {
      if (!ahead_since_) ahead_since_ = at;
      if (at - *ahead_since_ < kDoubted) return expected;
    }
  }
  ahead_since_.reset();
  believed_ = {now, at};
  return now;
}

/// Neither age nor the bound raises a floor beyond now. What such a one let go is gone.
Result<void> TableRollups::put_floors_back(Micros now) {
  const std::lock_guard lock(mutex_);
  bool back = false;
  const auto done = transaction([&]() -> Result<void> {
    auto bounds = table_->bounds();
    if (!bounds) return bounds.error();
    back = bounds->made > now + next_length(kWindowKinds);
    for (size_t kind = 0; kind < kWindowKinds; ++kind) {
      // Clocks are set back a little now and then.
      if (bounds->floor[kind] <= now + next_length(kind)) continue;
      bounds->floor[kind] = kept_from(kind, now);
      back = true;
    }
    if (!back) return {};
    bounds->made = now;
    return table_->set_bounds(*bounds);
  });
  if (done && back)
    log_warn(
        "the clock was ahead when rollups were aged, and is not any more: what is there is not whole "
        "before now");
  return done;
}

/// What lies below goes with it, some at a time: answers and merges have their turn in between.
Result<void> TableRollups::raise_floor(size_t kind, Micros floor) {
  for (bool more = true; more;) {
    const std::lock_guard lock(mutex_);
    const auto done = transaction([&]() -> Result<void> {
      auto bounds = table_->bounds();
      if (!bounds) return bounds.error();
      if (bounds->floor[kind] < floor) {
        bounds->floor[kind] = floor;
        if (const auto set = table_->set_bounds(*bounds); !set) return set;
      }
      const auto keys = table_->windows(kWindowLengths[kind], bounds->floor[kind], kWindowsPerStep);
      if (!keys) return keys.error();
      const auto aged = age(*keys, kind);
      if (!aged) return aged.error();
      more = *aged == kWindowsPerStep || *aged < keys->size();
      return {};
    });
    if (!done) return done;
  }
  return {};
}

/// The first of them, as many as are enough for a step; gives how many.
Result<size_t> TableRollups::age(const std::vector<WindowKey>& keys, size_t kind) {
  std::map<WindowKey, SeriesCells> coarser;
  std::map<uint32_t, int64_t> grown;
  size_t aged = 0, bytes = 0;
  for (const WindowKey& key : keys) {
    if (bytes >= kBytesPerStep) break;
    ++aged;
    const auto stored = table_->window(key);
    if (!stored) return stored.error();
    bytes += stored->size();
    grown[key.channel] -= static_cast<int64_t>(stored->size());
    if (kind + 1 < kWindowKinds) {
      SeriesCells cells;
      if (!decode_cells(*stored, key.span(), cells))
        log_warn("a window of the rollups is damaged and left out");
      const WindowSpan span = window_of(key.begin, next_length(kind));
      merge_into(coarser[{span.length, span.begin, key.channel}], cells);
    }
    if (const auto done = table_->remove_window(key); !done) return done.error();
  }
  for (const auto& [key, cells] : coarser) {
    const auto done = merge_window(key, cells);
    if (!done) return done.error();
    grown[key.channel] += *done;
  }
  for (const auto& [channel, by] : grown) {
    const auto stored = table_->channel(channel);
    if (!stored) return stored.error();
    ChannelRollup state;
    if (!decode_channel(*stored, state)) continue;  // a damaged one goes with its next merge
    state.bytes += static_cast<uint64_t>(by);
    if (const auto done = table_->set_channel(channel, encode_channel(state)); !done) return done.error();
  }
  return aged;
}

Result<void> TableRollups::count_bytes() {
  const std::lock_guard lock(mutex_);
  const auto bytes = table_->bytes();
  if (!bytes) return bytes.error();
  bytes_.store(*bytes, std::memory_order_relaxed);
  return {};
}

Result<void> TableRollups::hold_bound(Micros now) {
  if (const auto counted = count_bytes(); !counted) return counted;
  const uint64_t limit = limit_.load(std::memory_order_relaxed);
  const bool over = bytes() > limit;
  if (over)
    if (const auto done = age_largest(now, limit); !done) return done;
  for (size_t kind = 0; kind < kWindowKinds && bytes() > limit;) {
    const auto extent = [&] {
      const std::lock_guard lock(mutex_);
      return table_->extent(kWindowLengths[kind]);
    }();
    if (!extent) return extent.error();
    // Up to what is under way.
    const Micros length = next_length(kind), most = window_of(now, length).begin;
    if (!*extent || (*extent)->first >= most) {
      ++kind;
      continue;
    }
    const Micros floor = window_of((*extent)->first, length).begin + length;
    if (const auto done = raise_floor(kind, floor); !done) return done;
    if (const auto counted = count_bytes(); !counted) return counted;
  }
  const std::lock_guard lock(mutex_);
  if (over && !at_bound_)
    log_info("rollups are at their bound: the finest and oldest windows go before their time",
             "bytes=" + std::to_string(limit));
  at_bound_ = over || (at_bound_ && bytes() > limit / 2);
  return {};
}

/// Channels that have more than twice their share, the largest first, until the bound holds.
Result<void> TableRollups::age_largest(Micros now, uint64_t limit) {
  const auto all = channels();
  if (!all) return all.error();
  uint64_t sum = 0;
  std::priority_queue<std::pair<uint64_t, uint32_t>> largest;
  for (const uint32_t channel : *all) {
    const auto its = bytes_of(channel);
    if (!its) return its.error();
    sum += *its;
    largest.emplace(*its, channel);
  }
  while (bytes() > limit && !largest.empty() && largest.top().first > 2 * sum / all->size()) {
    const uint32_t channel = largest.top().second;
    largest.pop();
    const auto aged = age_oldest(channel, now);
    if (!aged) return aged.error();
    if (*aged == Aged::nothing) continue;
    const auto its = bytes_of(channel);
    if (!its) return its.error();
    largest.emplace(*its, channel);
    if (const auto counted = count_bytes(); !counted) return counted;
  }
  return {};
}

Result<uint64_t> TableRollups::bytes_of(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  const auto done = transaction([&]() -> Result<void> {
    const auto stored = table_->channel(channel);
    if (!stored) return stored.error();
    ChannelRollup state;
    (void)decode_channel(*stored, state);
    bytes = state.bytes + stored->size();
    return {};
  });
  if (!done) return done.error();
  return bytes;
}

/// The finest and oldest windows of a channel that fill a coarser one, as the bound does it to all. Nothing:
/// there are none but those that are under way.
Result<TableRollups::Aged> TableRollups::age_oldest(uint32_t channel, Micros now) {
  const std::lock_guard lock(mutex_);
  Aged aged = Aged::nothing;
  const auto done = transaction([&]() -> Result<void> {
    for (size_t kind = 0; kind < kWindowKinds; ++kind) {
      const Micros length = kWindowLengths[kind], next = next_length(kind);
      const auto extent = table_->extent(length);
      if (!extent) return extent.error();
      if (!*extent) continue;
      const Micros most = window_of(now, next).begin;
      for (Micros from = window_of((*extent)->first, next).begin; from < most; from += next) {
        std::vector<WindowKey> keys;
        for (Micros begin = from; begin < from + next; begin += length) {
          const WindowKey key{length, begin, channel};
          const auto stored = table_->window(key);
          if (!stored) return stored.error();
          if (!stored->empty()) keys.push_back(key);
        }
        if (keys.empty()) continue;
        const auto done_some = age(keys, kind);
        if (!done_some) return done_some.error();
        const auto stored = table_->channel(channel);
        if (!stored) return stored.error();
        ChannelRollup state;
        if (!decode_channel(*stored, state)) return {};
        state.whole_from[kind] = std::max(state.whole_from[kind], from + next);
        aged = Aged::some;
        return table_->set_channel(channel, encode_channel(state));
      }
    }
    return {};
  });
  if (!done) return done.error();
  return aged;
}

}  // namespace tailrace
