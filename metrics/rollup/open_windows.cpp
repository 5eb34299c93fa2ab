#include "metrics/rollup/open_windows.h"

namespace tailrace {

uint8_t OpenWindow::add_block() {
  static_assert(std::tuple_size_v<decltype(block_of_)> < 256, "a block's number fits into a byte");
  blocks_.emplace_back();
  held_.add(0, sizeof(blocks_[0]));
  return static_cast<uint8_t>(blocks_.size());
}

void OpenWindow::add_values() {
  values_ = std::make_unique<Values>();
  held_.add(0, sizeof(Values));
}

Cell& OpenWindow::add_own(SeriesId series) {
  const auto memory = [this] { return own_.capacity() * sizeof(Own) + slots_.capacity() * sizeof(uint32_t); };
  const size_t before = memory();
  own_.push_back({series, {}});
  const auto place = [this](uint32_t slot) {
    size_t at = own_[slot - 1].series & (slots_.size() - 1);
    while (slots_[at]) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  };
  if (own_.size() * 2 > slots_.size()) {
    slots_.assign(std::max<size_t>(8, slots_.size() * 2), 0);
    for (uint32_t slot = 1; slot < own_.size(); ++slot) place(slot);
  }
  place(static_cast<uint32_t>(own_.size()));
  held_.add(before, memory());
  return own_.back().cell;
}

size_t OpenWindow::memory() const {
  size_t bytes = blocks_.capacity() * sizeof(blocks_[0]) + own_.capacity() * sizeof(Own) +
                 slots_.capacity() * sizeof(uint32_t);
  if (values_) {
    bytes += sizeof(Values);
    for (const Cell& cell : *values_) bytes += cell.memory();
  }
  for (const Own& own : own_) bytes += own.cell.memory();
  return bytes;
}

OpenWindow* OpenWindows::find(Micros& time, Micros arrival, bool replay) {
  if (time - arrival > kMostAhead) {
    time = arrival;
    ahead_ += !replay;
  }
  for (size_t i = 0; i < kWindowKinds; ++i) {
    const WindowSpan span = window_of(time, kWindowLengths[i]);
    if (span.begin < kept_from(i, arrival)) continue;
    const OpenRoom::Room room = room_for(span, arrival);
    if (room == OpenRoom::Room::windows) return open(span);
    const size_t coarsest = kWindowKinds - 1;
    const size_t missing = room == OpenRoom::Room::none ? kWindowKinds : coarsest;
    for (size_t kind = 0; kind < missing; ++kind)
      whole_from_[kind] = std::max(whole_from_[kind], window_of(time, kWindowLengths[kind]).end());
    if (room == OpenRoom::Room::hours) return open(window_of(time, kWindowLengths[coarsest]));
    room_->count_dropped();
    return nullptr;
  }
  late_ += !replay;
  ++late_untaken_;
  return nullptr;
}

OpenRoom::Room OpenWindows::room_for(const WindowSpan& span, Micros arrival) {
  if (!room_ || span.end() >= window_of(arrival, kMinute).begin) return OpenRoom::Room::windows;
  return room_->room(held_ + (length_ != 0 ? current_->held() - current_held_ : 0));
}

OpenWindow* OpenWindows::open(const WindowSpan& span) {
  if (length_ != 0) held_ += current_->held() - current_held_;
  auto found = std::lower_bound(windows_.begin(), windows_.end(), span,
                                [](const auto& w, const WindowSpan& s) { return w.first < s; });
  if (found == windows_.end() || found->first != span) {
    found = windows_.emplace(found, span, OpenWindow(room_));
    held_ += found->second.held();
  }
  begin_ = span.begin;
  length_ = static_cast<uint64_t>(span.length);
  current_ = &found->second;
  current_held_ = current_->held();
  return current_;
}

void OpenWindows::crowded_ranges() {
  if (room_) room_->hurry();
  covered_.bound(Covered::kMostInShare);
}

OpenWindows::Taken OpenWindows::take() {
  Taken taken{std::exchange(windows_, {}), std::exchange(covered_, {}), std::exchange(records_, 0),
              std::exchange(late_untaken_, 0), std::exchange(whole_from_, {})};
  length_ = 0;
  held_ = 0;
  return taken;
}

}  // namespace tailrace
