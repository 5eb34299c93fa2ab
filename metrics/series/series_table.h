#pragma once
// The series of one channel: who has an id, who is folded into an overflow series, and how many those are.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "metrics/series/distinct.h"
#include "metrics/series/offenders.h"
#include "metrics/series/series.h"
#include "metrics/series/series_index.h"

namespace tailrace {

/// Bytes of a name, a source or a unit at most.
inline constexpr size_t kMaxLabel = 255;
/// What series past the bound are called.
inline constexpr std::string_view kOverflowName = "_overflow";
/// A series without a value for so long makes room, where there is plenty of it and where more than half is
/// taken. A counter that goes and comes begins again at 0, so it is not let go for the hours between two runs
/// of a job unless others need its place.
inline constexpr Micros kSeriesIdle = 24 * 3600 * int64_t{1'000'000};
inline constexpr Micros kSeriesIdleCrowded = 3600 * int64_t{1'000'000};
/// The same for a dyno's gauges: about nine of its lines, which come every 20 s. A dyno that was restarted
/// comes back sooner; one that went must not be shown beside those that live.
inline constexpr Micros kDynoIdle = 180 * int64_t{1'000'000};

constexpr bool is_dyno_gauge(SeriesKind kind) {
  return kind == SeriesKind::dyno_memory || kind == SeriesKind::dyno_load;
}

/// Whether a key may become a series: a name, no text longer than kMaxLabel, UTF-8.
bool good_labels(const SeriesKey& key);

/// Where a key goes that finds no room: `_overflow` of its kind, without source and unit; of the kinds whose
/// names are the router's own, the same name with the source `_overflow`.
SeriesKey overflow_key(const SeriesKey& key);

/// The bounds, of one channel and of the process; set while all is running, shared by all channels' tables.
struct SeriesLimits {
  SeriesLimits(uint64_t of_channel, uint64_t of_process) : channel(of_channel), process(of_process) {}
  void set(uint64_t of_channel, uint64_t of_process) {
    channel = of_channel;
    process.set_limit(of_process);
    ++version;
  }

  std::atomic<uint64_t> channel;
  Budget process;
  std::atomic<uint64_t> version{0};
};

/// A series that has an id. Shared by the table and the threads' shares; never changes but for seen().
class AdmittedSeries {
 public:
  AdmittedSeries(SeriesId id, const SeriesKey& key, uint64_t hash, bool overflow, Micros now);

  const SeriesId id;
  const SeriesKind kind;
  const bool overflow;
  const uint64_t hash;  // series_hash(key())
  SeriesKey key() const;

  /// A value came: false if the series has expired, then the key is to be looked up again. Any thread, no
  /// lock; writes every few seconds only.
  bool touch(Micros now) const {
    Micros seen = seen_.load(std::memory_order_relaxed);
    while (seen != kExpired) {
      if (now - seen <= kTouch) return true;
      if (seen_.compare_exchange_weak(seen, now, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  bool expired() const { return !seen(); }
  /// When the last value came, up to kTouch too early; none: it expired.
  std::optional<Micros> seen() const {
    const Micros seen = seen_.load(std::memory_order_relaxed);
    return seen == kExpired ? std::nullopt : std::optional(seen);
  }
  /// Expires it if it was idle for longer.
  bool expire(Micros now, Micros idle) const;

  size_t memory() const { return sizeof *this + text_.capacity() + 1; }

 private:
  static constexpr Micros kExpired = INT64_MAX;
  static constexpr Micros kTouch = 10'000'000;

  const std::string text_;  // name, source and unit
  const uint8_t name_size_, source_size_;
  mutable std::atomic<Micros> seen_;
};
using SeriesPtr = std::shared_ptr<const AdmittedSeries>;

struct Channel;

/// Thread-safe, one lock, which no known series ever takes (series_counts.h). Lives as long as the channel or
/// any share of it; gives back to the process's budget what it took. `limits` outlives it.
/// Invariants: (1) admitted series, without the overflow ones, never exceed the limits of their moment;
/// (2) no id is used twice; (3) what is kept of folded series is bounded, about 200 KiB at the very most.
class SeriesTable {
 public:
  explicit SeriesTable(SeriesLimits& limits) : limits_(limits) {}
  ~SeriesTable() { limits_.process.give(admitted_); }
  SeriesTable(const SeriesTable&) = delete;
  SeriesTable& operator=(const SeriesTable&) = delete;

  /// A known series, a new one if there is room, else its overflow series. `key` has good_labels().
  SeriesPtr find_or_admit(const SeriesKey& key, Micros now);
  /// Whoever remembers that a series was folded asks again when this has changed.
  uint64_t version() const {
    return version_.load(std::memory_order_relaxed) + limits_.version.load(std::memory_order_relaxed);
  }

  /// Also of a fixed series, and of one that the last expire() took. None: never given out, or long gone.
  std::optional<SeriesName> name(SeriesId id) const;

  /// Makes room: call it about once a minute, not before what shares counted until then was taken.
  void expire(Micros now);

  /// Tells the channel how many series were folded since the last time (L16): at most once a minute, and only
  /// if there were any. From a thread that holds no lock of the log: not from an append observer.
  void tell(const Channel& channel, Micros now);
  /// The same as a line; empty if there is nothing to tell.
  std::string take_notice(Micros now);

  struct Totals {
    uint64_t series = 0, limit = 0;
    uint64_t folded = 0;  // different ones since the start; exact up to Distinct::kKept
  };
  Totals totals() const;

  /// What uses the budget, over admitted and folded series.
  std::vector<Offender> top(size_t most) const;
  /// Up to `most` series with ids above `after`, ascending.
  std::vector<SeriesPtr> list(SeriesId after, size_t most) const;

  size_t memory() const;

 private:
  static constexpr size_t kSampled = 256;
  static constexpr Micros kNoticeEvery = 60'000'000;

  const SeriesPtr* find(const SeriesKey& key, uint64_t hash) const;
  SeriesPtr admit(const SeriesKey& key, uint64_t hash, bool overflow, Micros now);
  void fold(const SeriesKey& key, uint64_t hash, Micros now);

  SeriesLimits& limits_;
  std::atomic<uint64_t> version_{0};
  mutable std::mutex mutex_;        // of what follows
  std::vector<SeriesPtr> series_;   // by id, ascending
  std::vector<SeriesPtr> expired_;  // by the last expire(), by id
  SeriesIndex index_;               // of series_
  uint64_t admitted_ = 0;           // of series_, without the overflow ones
  SeriesId next_ = first_own_series;

  Distinct folded_;                         // since the start
  std::map<uint64_t, SeriesName> sampled_;  // of them those with the kSampled smallest hashes: a fair sample
  Distinct untold_;                         // since the last notice
  Micros untold_since_ = 0;
  Micros told_ = INT64_MIN / 2;
};

}  // namespace tailrace
