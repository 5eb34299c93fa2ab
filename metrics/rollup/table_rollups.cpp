#include "metrics/rollup/table_rollups.h"

#include <algorithm>

#include "base/log.h"

namespace tailrace {
namespace {

constexpr size_t kind_of(Micros length) {
  for (size_t i = 0; i < kWindowKinds; ++i)
    if (kWindowLengths[i] == length) return i;
  return kWindowKinds;
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

}  // namespace

TableRollups::TableRollups(std::unique_ptr<RollupTable> table, uint64_t limit, RollupClocks clocks)
    : table_(std::move(table)), clocks_(std::move(clocks)), limit_(limit) {}

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
