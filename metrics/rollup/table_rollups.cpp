#include "metrics/rollup/table_rollups.h"

#include <algorithm>
#include <chrono>
#include <queue>

#include "base/log.h"

namespace tailrace {
namespace {

// Merged in one transaction when they have aged.
constexpr size_t kWindowsPerStep = 512, kBytesPerStep = 256 << 10;

constexpr size_t kind_of(Micros length) {
  for (size_t i = 0; i < kWindowKinds; ++i)
    if (kWindowLengths[i] == length) return i;
  return kWindowKinds;
}

/// The length into which windows of a kind go; behind the last one they are dropped by the hour.
constexpr Micros next_length(size_t kind) {
  return kWindowLengths[std::min(kind + 1, kWindowKinds - 1)];
}

/// Where `span` is to lie now; false: nowhere.
bool place(WindowSpan& span, const RollupBounds& bounds) {
  for (size_t kind = kind_of(span.length); kind < kWindowKinds; ++kind) {
    span = window_of(span.begin, kWindowLengths[kind]);
    if (span.begin >= bounds.floor[kind]) return true;
  }
  return false;
}

/// Where a clock was ahead once, what it said is not for ever.
WholeFrom not_ahead(WholeFrom whole, Micros now) {
  for (size_t kind = 0; kind < kWindowKinds; ++kind)
    whole[kind] = std::min(whole[kind], window_of(now + kMinute, kWindowLengths[kind]).end());
  return whole;
}

/// How many lines a window's cells are of, at least.
uint64_t lines_of(const SeriesCells& cells) {
  uint64_t lines = 0;
  for (const auto& [name, cell] : cells) lines = std::max(lines, cell.count());
  return lines;
}

void merge_into(SeriesCells& ours, const SeriesCells& theirs) {
  for (const auto& [name, cell] : theirs) ours[name].merge(cell);
}

}  // namespace

TableRollups::TableRollups(std::unique_ptr<RollupTable> table, uint64_t limit, RollupClocks clocks)
    : table_(std::move(table)), clocks_(std::move(clocks)), limit_(limit) {}

/// work() within a transaction; once more if the table had to be given up meanwhile.
template <class F>
Result<void> TableRollups::transaction(F&& work) {
  const auto once = [&]() -> Result<void> {
    if (const auto begun = table_->begin(clocks_.now()); !begun) return begun;
    if (const auto done = work(); !done) return done;
    return table_->commit();
  };
  auto done = once();
  for (int tries = 0; !done; ++tries) {
    table_->roll_back();
    if (tries || !table_->given_up(done.error())) return done;
    done = once();
  }
  return done;
}

// ---- merging ---------------------------------------------------------------------------------------------

Result<void> TableRollups::merge(const RollupBatch& batch) {
  const std::lock_guard lock(mutex_);
  return transaction([&]() -> Result<void> {
    const auto bounds = table_->bounds();
    if (!bounds) return bounds.error();
    for (const auto& [channel, delta] : batch)
      if (const auto done = merge_channel(channel, delta, *bounds); !done) return done;
    return {};
  });
}

Result<void> TableRollups::merge_channel(uint32_t channel, const RollupDelta& delta,
                                         const RollupBounds& bounds) {
  const auto stored = table_->channel(channel);
  if (!stored) return stored.error();
  ChannelRollup state;
  if (!stored->empty() && !decode_channel(*stored, state)) {
    // What its windows count is not known any more: they go too, and the next start counts the log anew.
    log_warn("a channel's rollups are damaged and given up", "channel_index=" + std::to_string(channel));
    if (const auto done = table_->remove_channel(channel); !done) return done;
  }
  std::map<WindowSpan, SeriesCells> moved;  // where several of the delta's windows may be one now
  for (const auto& [span, cells] : delta.windows) {
    WindowSpan placed = span;
    if (!place(placed, bounds))
      state.late += lines_of(cells);
    else if (placed == span) {
      const auto grown = merge_window({span.length, span.begin, channel}, cells);
      if (!grown) return grown.error();
      state.bytes += static_cast<uint64_t>(*grown);
    } else {
      merge_into(moved[placed], cells);
    }
  }
  for (const auto& [span, cells] : moved) {
    const auto grown = merge_window({span.length, span.begin, channel}, cells);
    if (!grown) return grown.error();
    state.bytes += static_cast<uint64_t>(*grown);
  }

  std::erase_if(state.marks, [&](const PlatformMark& m) { return m.time < bounds.floor[kWindowKinds - 1]; });
  state.covered.merge(delta.covered);
  state.covered.bound(Covered::kMostRanges);
  state.records += delta.records;
  state.late += delta.late;
  state.whole_from = not_ahead(state.whole_from, clocks_.now());
  raise(state.whole_from, delta.whole_from);
  if (!delta.marks.empty()) {
    state.marks.insert(state.marks.end(), delta.marks.begin(), delta.marks.end());
    std::ranges::sort(state.marks);
    if (state.marks.size() > kMostMarks)
      state.marks.erase(state.marks.begin(), state.marks.end() - kMostMarks);
  }
  return table_->set_channel(channel, encode_channel(state));
}

Result<int64_t> TableRollups::merge_window(const WindowKey& key, const SeriesCells& cells) {
  const auto stored = table_->window(key);
  if (!stored) return stored.error();
  std::string text;
  if (stored->empty()) {
    text = encode_cells(cells, key.span());
  } else {
    SeriesCells both;
    if (!decode_cells(*stored, key.span(), both)) log_warn("a window of the rollups is damaged and left out");
    merge_into(both, cells);
    text = encode_cells(both, key.span());
  }
  if (const auto done = table_->set_window(key, text); !done) return done.error();
  return static_cast<int64_t>(text.size()) - static_cast<int64_t>(stored->size());
}

// ---- ageing ----------------------------------------------------------------------------------------------

Result<void> TableRollups::compact(Micros now) {
  now = believed(now);
  if (const auto done = put_floors_back(now); !done) return done;
  for (size_t kind = 0; kind < kWindowKinds; ++kind) {
    // Whole windows of the next length at once, so that each of those is fine or coarse.
    if (const auto done = raise_floor(kind, kept_from(kind, now)); !done) return done;
  }
  return hold_bound(now);
}

/// `now`, unless it has jumped ahead since the last time: then what it would be otherwise, until it has been
/// ahead for some time.
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

// ---- reading ---------------------------------------------------------------------------------------------

Result<RollupStore::Counted> TableRollups::counted(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  Counted counted;
  const auto done = transaction([&]() -> Result<void> {
    const auto stored = table_->channel(channel);
    if (!stored) return stored.error();
    ChannelRollup state;
    if (!stored->empty() && !decode_channel(*stored, state)) return table_->remove_channel(channel);
    counted = {std::move(state.covered), state.records};
    return {};
  });
  if (!done) return done.error();
  return counted;
}

Result<std::vector<uint32_t>> TableRollups::channels() {
  const std::lock_guard lock(mutex_);
  std::vector<uint32_t> all;
  const auto done = transaction([&]() -> Result<void> {
    auto found = table_->channels();
    if (!found) return found.error();
    all = std::move(*found);
    return {};
  });
  if (!done) return done.error();
  return all;
}

Result<RollupStore::Answer> TableRollups::read(uint32_t channel, Micros from, Micros to,
                                               const SeriesFilter& filter) {
  const std::lock_guard lock(mutex_);
  Answer answer;
  const auto done = transaction([&]() -> Result<void> {
    answer = {};
    const auto bounds = table_->bounds();
    if (!bounds) return bounds.error();
    const auto stored = table_->channel(channel);
    if (!stored) return stored.error();
    ChannelRollup state;
    (void)decode_channel(*stored, state);  // a damaged one goes with the next merge
    answer.late = state.late;
    for (PlatformMark& mark : state.marks)
      if (mark.time >= from && mark.time < to) answer.marks.push_back(std::move(mark));
    Micros whole = bounds->made;
    for (size_t kind = kWindowKinds; kind-- > 0;)  // what is missing in hours is missing in minutes
      answer.whole_from[kind] = whole = std::max(whole, bounds->floor[kind]);
    raise(answer.whole_from, not_ahead(state.whole_from, clocks_.now()));
    for (const Micros length : kWindowLengths) {
      const auto extent = table_->extent(length);
      if (!extent) return extent.error();
      if (!*extent) continue;
      const Micros last = std::min(to - 1, (*extent)->second);
      for (Micros at = std::max(window_of(from, length).begin, (*extent)->first); at <= last; at += length) {
        const auto cells = table_->window({length, at, channel});
        if (!cells) return cells.error();
        if (cells->empty()) continue;
        const WindowSpan span{at, length};
        SeriesCells wanted;
        if (!decode_cells(*cells, span, wanted, filter))
          log_warn("a window of the rollups is damaged and left out");
        else if (!wanted.empty())
          answer.windows.emplace(span, std::move(wanted));
      }
    }
    return {};
  });
  if (!done) return done.error();
  return answer;
}

Result<void> TableRollups::forget(uint32_t channel) {
  const std::lock_guard lock(mutex_);
  return transaction([&] { return table_->remove_channel(channel); });
}

}  // namespace tailrace
