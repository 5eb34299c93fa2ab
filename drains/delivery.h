#pragma once
// What one request of an HTTP drain carries: a batch.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channels/cursor.h"
#include "channels/record_filter.h"

namespace tailrace {

/// Records of one drain, in order, pinned until the batch goes; those that the filter does not want are
/// counted and not held. Frozen by name(): from then on it is the same at every try.
struct Delivery {
  std::vector<Slice> slices;
  uint64_t records = 0;   // in `slices`; 0: the L10 frame goes alone
  uint64_t filtered = 0;  // among and behind them
  uint64_t bytes = 0;     // of the entries in `slices`
  Loss loss;              // told by its first frame, if any
  std::string l10;        // that frame
  std::string frame_id;   // 32 hex digits

  bool empty() const { return !records && !filtered && l10.empty(); }
  /// What comes next; `wanted` may be null.
  void add(const Slice& slice, const RecordFilter* wanted);

  /// The frame id: the same for the same records of the same drain, however often they are sent. A restart
  /// forgets the L10 frame that a batch began with, so it names that one alone which goes without records.
  void name(std::string_view drain_token);

  /// Two batches of half the records each, in order, not named yet; the L10 frame stays with the first, what
  /// was filtered with the second. Of two records or more.
  static std::pair<Delivery, Delivery> halves(Delivery whole);

  /// Arrival of the oldest record; 0: there is none.
  Micros oldest() const { return slices.empty() ? 0 : (*slices.front().begin()).arrival(); }
  /// Holds no more memory than its records need: for a batch that may wait for long.
  void settle_down();

 private:
  void add_run(const Slice& run);
};

}  // namespace tailrace
