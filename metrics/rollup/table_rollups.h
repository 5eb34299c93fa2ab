#pragma once
// The store of rollups over a table of bytes: merging, ageing, the bound.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/fair_mutex.h"
#include "metrics/rollup/rollup_codec.h"
#include "metrics/rollup/rollup_store.h"
#include "metrics/rollup/rollup_table.h"

namespace tailrace {

/// Owns its table, under one lock. A value lies in one window alone: what is merged into it goes into the
/// finest window that is not below its length's floor; raising a floor moves what lies below into the next
/// coarser length, or drops it behind the last. Time raises floors, and so does the bound: minutes first,
/// then tens, then hours, the oldest of each first, up to the one that is under way: of channels that have
/// more than twice their share of what is there before those of all.
///
/// The clock may be wrong for a while: one that jumps ahead is believed after ten minutes, by a clock that
/// cannot jump; and floors that lie in the future, as an earlier one has left them, are put back.
class TableRollups final : public RollupStore {
 public:
  TableRollups(std::unique_ptr<RollupTable> table, uint64_t limit, RollupClocks clocks);

  Result<void> merge(const RollupBatch& batch) override;
  Result<Counted> counted(uint32_t channel) override;
  Result<std::vector<uint32_t>> channels() override;
  Result<Answer> read(uint32_t channel, Micros from, Micros to, const SeriesFilter& filter) override;
  Result<void> compact(Micros now) override;
  Result<void> forget(uint32_t channel) override;
  uint64_t bytes() const override { return bytes_.load(std::memory_order_relaxed); }
  void set_limit(uint64_t bytes) override { limit_.store(bytes, std::memory_order_relaxed); }

 private:
  template <class F>
  Result<void> transaction(F&& work);
  Result<void> merge_channel(uint32_t channel, const RollupDelta& delta, const RollupBounds& bounds);
  /// Gives by how much the window has grown.
  Result<int64_t> merge_window(const WindowKey& key, const SeriesCells& cells);
  Micros believed(Micros now);
  Result<void> put_floors_back(Micros now);
  Result<void> raise_floor(size_t kind, Micros floor);
  Result<size_t> age(const std::vector<WindowKey>& keys, size_t kind);
  Result<void> hold_bound(Micros now);
  Result<void> age_largest(Micros now, uint64_t limit);
  enum class Aged : uint8_t { some, nothing };
  Result<Aged> age_oldest(uint32_t channel, Micros now);
  Result<uint64_t> bytes_of(uint32_t channel);
  Result<void> count_bytes();

  const std::unique_ptr<RollupTable> table_;
  const RollupClocks clocks_;
  FairMutex mutex_;
  struct Moment {
    Micros wall = 0;
    Mono steady;
  };
  // Guarded by mutex_.
  std::optional<Moment> believed_;  // the last one
  std::optional<Mono> ahead_since_;
  bool at_bound_ = false;  // and a line says so
  std::atomic<uint64_t> limit_, bytes_{0};
};

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

}  // namespace tailrace
