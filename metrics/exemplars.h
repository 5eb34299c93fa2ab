#pragma once
// Requests that stand for a bucket of a histogram: from a bar in a chart to one request's lines.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metrics/histogram.h"

namespace tailrace {

/// One request. `time` is its line's own.
struct Exemplar {
  std::string request_id;
  double value = 0;
  Micros time = 0;
};

/// OpenMetrics bounds the names and values of an exemplar's labels to 128 characters together.
inline constexpr std::string_view kExemplarLabel = "request_id";
inline constexpr size_t kMaxExemplarId = 128 - kExemplarLabel.size();

/// Visible ASCII, and not too long; Heroku's are letters, digits and `+/=-`.
bool is_exemplar_id(std::string_view request_id);

/// The newest request of each bucket of one channel's service times, as one thread saw them, or all together:
///
///   if (exemplars.due(bucket, record.arrival()))
///     exemplars.take(bucket, router_value(message, "request_id"), line.service, line_time);
///
/// A bucket is due once a second: a line costs a compare or two, and its id is looked for seldom. Not
/// thread-safe; its owner locks. Memory: nothing until the first, at most 16 ids.
class Exemplars {
 public:
  static constexpr size_t kBuckets = kSecondsBounds.size() + 1;

  /// Whether nothing was taken for this bucket in the second of `arrival` yet. Asking closes the bucket for
  /// that second, so that lines without an id are not searched again and again.
  bool due(size_t bucket, Micros arrival) { return due_of(uint32_t{1} << bucket, arrival) != 0; }
  /// The same for a set of buckets.
  uint32_t due_of(uint32_t buckets, Micros arrival) {
    // The clock set back begins a second too.
    if (static_cast<uint64_t>(arrival - second_) >= kSecond) {
      second_ = arrival - arrival % kSecond;
      asked_ = 0;
    }
    const uint32_t due = buckets & ~asked_;
    asked_ |= buckets;
    return due;
  }

  /// Nothing happens if the id is none, or if a later line has the bucket.
  void take(size_t bucket, std::string_view request_id, double value, Micros line_time);

  /// The later line of each bucket stays.
  void merge(const Exemplars& other);

  /// Null: none.
  const Exemplar* of(size_t bucket) const {
    const uint8_t place = place_[bucket];
    return place == 0 ? nullptr : &kept_[place - 1u];
  }

  size_t memory() const;  // bytes on the heap

 private:
  static constexpr uint64_t kSecond = 1'000'000;
  static_assert(kBuckets <= 32, "a bit for each bucket");

  Micros second_ = 0;
  uint32_t asked_ = 0;                     // buckets that were due in this second
  std::array<uint8_t, kBuckets> place_{};  // 0: none; else one more than its place in kept_
  std::vector<Exemplar> kept_;
};

}  // namespace tailrace
