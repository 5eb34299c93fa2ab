#include "metrics/rollup/open_windows.h"

namespace tailrace {

uint8_t OpenWindow::add_block() {
  static_assert(std::tuple_size_v<decltype(block_of_)> < 256, "a block's number fits into a byte");
  blocks_.emplace_back();
  return static_cast<uint8_t>(blocks_.size());
}

Cell& OpenWindow::add_own(SeriesId series) {
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

OpenWindow* OpenWindows::find(Micros& time, Micros arrival) {
  if (time - arrival > kMostAhead) {
    time = arrival;
    ++ahead_;
  }
  for (size_t i = 0; i < kWindowKinds; ++i) {
    const WindowSpan span = window_of(time, kWindowLengths[i]);
    if (arrival - span.end() > kWindowAges[i]) continue;
    auto found = std::lower_bound(windows_.begin(), windows_.end(), span,
                                  [](const auto& w, const WindowSpan& s) { return w.first < s; });
    if (found == windows_.end() || found->first != span) found = windows_.emplace(found, span, OpenWindow());
    begin_ = span.begin;
    length_ = static_cast<uint64_t>(span.length);
    return current_ = &found->second;
  }
  ++late_;
  return nullptr;
}

OpenWindows::Taken OpenWindows::take() {
  Taken taken{std::exchange(windows_, {}), std::exchange(covered_, {}), late_ - late_taken_};
  late_taken_ = late_;
  length_ = 0;
  return taken;
}

}  // namespace tailrace
