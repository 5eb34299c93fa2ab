#pragma once
// What one thread counts of one channel's series.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "metrics/histogram.h"
#include "metrics/lines/sample_line.h"
#include "metrics/rollup/open_windows.h"
#include "metrics/series/recent_values.h"
#include "metrics/series/series_index.h"
#include "metrics/series/series_table.h"

namespace tailrace {

/// Pairs that count in no series, by reason, since the start.
struct PairsRejected {
  uint64_t empty = 0, not_a_number = 0, negative = 0;
  uint64_t label = 0;  // a name or source that is too long or no UTF-8
  void merge(const PairsRejected& other);
};

/// What a line counts in: all there is; or in its window alone, because it is a record of an earlier run
/// that is read again.
enum class Counting : uint8_t { live, replay };

/// One thread's share. Its owner locks around every call. A known series costs a look-up in a table of its
/// own and no allocation; a new one takes the lock of the channel's table. `window` may be null: the line is
/// late, and counts in no window. `arrival` of a line that is replayed is now.
class SeriesCounts {
 public:
  explicit SeriesCounts(std::shared_ptr<SeriesTable> table) : table_(std::move(table)) {}

  /// The pairs of a line of l2met's.
  void add(const SampleLine& line, Stamp at, Micros arrival, OpenWindow* window,
           Counting counting = Counting::live);
  /// The same of APP heroku: runtime metrics of the dyno PROCID are its gauges, other pairs what they are
  /// elsewhere.
  void add_runtime(const SampleLine& line, std::string_view procid, Stamp at, Micros arrival,
                   OpenWindow* window, Counting counting = Counting::live);
  /// A router line, by what it names: `kind` is router_dyno or router_host, `source` the dyno or the host (an
  /// empty one counts nowhere); `service` in seconds, kAbsent if it has none, `status` 0 likewise.
  void add_request(SeriesKind kind, std::string_view source, double service, uint16_t status, Stamp at,
                   Micros arrival, OpenWindow* window, Counting counting = Counting::live);

  /// What was counted since the start.
  struct Counts {
    void merge(const Counts& other);
    uint64_t count = 0;
    ExactSum sum;
    double last = 0;
    Stamp last_at;
  };
  /// use(const SeriesPtr&, const Counts&, const RecentValues* or null) for each that has not expired; gives
  /// back memory that is not needed any more.
  template <class F>
  void for_each(Micros now, F&& use) {
    sweep(now);
    for (const Entry& entry : entries_) use(entry.series, entry.counts, entry.recent.get());
  }
  const PairsRejected& rejected() const { return rejected_; }

  /// Every series that values were added to windows for since the last call, whether or not it has expired.
  std::vector<SeriesPtr> take_series();

  size_t memory() const;

 private:
  struct Entry {
    SeriesPtr series;
    Counts counts;
    std::unique_ptr<RecentValues> recent;  // of distributions
  };

  /// False: no label of a series can be made of this.
  bool add_pair(const SeriesKey& key, uint64_t of_source, double value, Stamp at, Micros arrival,
                OpenWindow* window, Counting counting);
  /// Null likewise.
  Entry* entry_of(const SeriesKey& key, uint64_t hash, Micros now);
  Entry* admitted(const SeriesKey& key, uint64_t hash, Micros now);
  Entry* find(const SeriesKey& key, uint64_t hash);
  void sweep(Micros now);

  const std::shared_ptr<SeriesTable> table_;
  std::vector<Entry> entries_;
  SeriesIndex index_;            // of entries_
  std::vector<SeriesPtr> left_;  // entries_ since the last take_series()
  PairsRejected rejected_;
  std::vector<uint64_t> folded_;  // hashes of some that were folded, each at one place; void when the table's
  uint64_t folded_version_ = 0;   // version changes
};

}  // namespace tailrace
