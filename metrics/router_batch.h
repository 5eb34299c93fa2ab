#pragma once
// Router lines that count together, by column: each line is scanned alone, its values are counted in a row.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/buckets.h"
#include "metrics/lines/router_line.h"
#include "metrics/rollup/open_windows.h"

namespace tailrace {

/// The values of one name in the lines of a batch; absent ones left out.
class ValueColumn {
 public:
  static constexpr size_t kMost = 64;

  void add(double value, uint8_t line, Stamp at) {
    values_[size_] = value;
    buckets_[size_] = value > 0 ? static_cast<uint16_t>(Buckets::bucket_of(value)) : Buckets::kZero;
    lines_[size_++] = line;
    if (at > last_at_) last_at_ = at, last_ = value;
  }
  void clear() { size_ = 0, last_at_ = {}; }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  std::span<const double> values() const { return {values_.data(), size_}; }
  /// By Buckets::bucket_of, kZero for 0.
  std::span<const uint16_t> buckets() const { return {buckets_.data(), size_}; }
  /// Which line of the batch the value with this index is from.
  uint8_t line(size_t index) const { return lines_[index]; }
  double last() const { return last_; }
  Stamp last_at() const { return last_at_; }

 private:
  size_t size_ = 0;
  double last_ = 0;
  Stamp last_at_;
  std::array<double, kMost> values_;
  std::array<uint16_t, kMost> buckets_;
  std::array<uint8_t, kMost> lines_;
};

/// Scratch of one thread. All its lines arrived at once and count in one window.
struct RouterBatch {
  static constexpr size_t kMost = ValueColumn::kMost;
  struct Line {
    std::string_view message, dyno;
    Stamp at;
    uint16_t status;
  };

  bool full() const { return size == kMost; }
  void add(const RouterLine& line, std::string_view message, Stamp at) {
    const auto number = static_cast<uint8_t>(size);
    lines[size++] = {message, line.dyno, at, line.status};
    if (line.service != kAbsent) service.add(line.service, number, at);
    if (line.connect != kAbsent) connect.add(line.connect, number, at);
    if (line.bytes != kAbsent) bytes.add(line.bytes, number, at);
    if (line.wait != kAbsent) wait.add(line.wait, number, at);
    if (line.queue != kAbsent) queue.add(line.queue, number, at);
  }
  void clear() {
    size = 0;
    for (ValueColumn* column : {&service, &connect, &wait, &queue, &bytes}) column->clear();
  }

  Micros arrival = 0;
  WindowSpan window;  // length 0: none, they are late
  size_t size = 0;
  std::array<Line, kMost> lines;
  ValueColumn service, connect, wait, queue, bytes;
};

}  // namespace tailrace
