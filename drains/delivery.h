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
  std::vector<uint64_t> skipped;  // by slice: how many that the filter does not want lie before it
  uint64_t behind = 0;            // and how many behind the last
  uint64_t records = 0;           // in `slices`; 0: the L10 frame goes alone
  uint64_t filtered = 0;          // all that were skipped
  uint64_t bytes = 0;             // of the entries in `slices`
  Loss loss;                      // told by its first frame, if any
  std::string l10;                // that frame
  std::string frame_id;           // 32 hex digits

  bool empty() const { return !records && !filtered && l10.empty(); }
  /// What comes next; `wanted` may be null.
  void add(const Slice& slice, const RecordFilter* wanted);

  /// The frame id: the same for the same records of the same drain, however often they are sent. A restart
  /// forgets the L10 frame that a batch began with, so it names that one alone which goes without records.
  void name(std::string_view drain_token);

  /// Frames that are sent.
  uint64_t frames() const { return records + (l10.empty() ? 0 : 1); }
  /// Two batches of half the records each, in order, not named yet, each with what was skipped before its
  /// own; the L10 frame goes with the first, or, before one record, alone. Of two frames or more.
  static std::pair<Delivery, Delivery> halves(Delivery whole);

  /// Arrival of the oldest record; 0: there is none.
  Micros oldest() const { return slices.empty() ? 0 : (*slices.front().begin()).arrival(); }
  /// Holds no more memory than its records need: for a batch that may wait for long.
  void settle_down();

 private:
  void add_run(const Slice& run, uint64_t before);
};

}  // namespace tailrace
