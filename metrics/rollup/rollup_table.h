#pragma once
// Where a store of rollups keeps its bytes: the interface that memory and SQLite fill.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"
#include "metrics/rollup/open_windows.h"

namespace tailrace {

/// One window of one channel. In this order they lie in a table.
struct WindowKey {
  Micros length = 0, begin = 0;
  uint32_t channel = 0;
  WindowSpan span() const { return {begin, length}; }
  auto operator<=>(const WindowKey&) const = default;
};

/// What holds for all channels.
struct RollupBounds {
  Micros made = 0;                           // when the table was made: nothing is known from before
  std::array<Micros, kWindowKinds> floor{};  // windows of this length from before were merged or dropped
  bool operator==(const RollupBounds&) const = default;
};

/// What a table gives for bytes that fail their checksum: it cannot be decoded.
inline constexpr std::string_view kDamagedText("\0", 1);

/// One thread at a time.
class RollupTable {
 public:
  virtual ~RollupTable() = default;

  /// What is set from here to commit() is kept as a whole, or not at all. `now`: for a table that must be
  /// made.
  virtual Result<void> begin(Micros now) = 0;
  virtual Result<void> commit() = 0;
  virtual void roll_back() = 0;
  /// Whether it is the table itself that cannot be used, as `error` says; then it is an empty one from now
  /// on, and the caller may begin again.
  virtual bool given_up(error_code error) = 0;

  virtual Result<RollupBounds> bounds() = 0;
  virtual Result<void> set_bounds(const RollupBounds& bounds) = 0;
  /// Empty: there is none.
  virtual Result<std::string> window(const WindowKey& key) = 0;
  virtual Result<void> set_window(const WindowKey& key, std::string_view cells) = 0;
  virtual Result<void> remove_window(const WindowKey& key) = 0;
  /// The first windows of this length that begin before `before`, `most` at most.
  virtual Result<std::vector<WindowKey>> windows(Micros length, Micros before, size_t most) = 0;
  /// Where the oldest and the newest one of this length begin.
  virtual Result<std::optional<std::pair<Micros, Micros>>> extent(Micros length) = 0;

  /// Empty: there is none.
  virtual Result<std::string> channel(uint32_t channel) = 0;
  virtual Result<void> set_channel(uint32_t channel, std::string_view state) = 0;
  virtual Result<std::vector<uint32_t>> channels() = 0;
  /// With its windows.
  virtual Result<void> remove_channel(uint32_t channel) = 0;

  /// What all of this takes.
  virtual Result<uint64_t> bytes() = 0;
};

}  // namespace tailrace
