#pragma once
// TAILRACE_CHANNEL_RATE: how many records a second a channel takes.

#include <atomic>
#include <mutex>
#include <unordered_map>

#include "channels/channel.h"

namespace tailrace {

/// Judges what is written, and tells a channel's readers what syslog senders lost by it: these have no
/// answer, as a POST has its 429. One for the process, thread-safe.
class Quota {
 public:
  /// `rate`: records per second of each channel; 0: no limit.
  explicit Quota(uint64_t rate = 0) : rate_(rate) {}

  /// From the next record on.
  void set_rate(uint64_t rate) { rate_.store(rate, std::memory_order_relaxed); }
  bool limited() const { return rate_.load(std::memory_order_relaxed) != 0; }

  /// `records` for `channel`, judged as one. Zero: they may be written, and are counted. Else how long until
  /// they may.
  std::chrono::nanoseconds take(Channel& channel, uint64_t records) {
    const uint64_t rate = rate_.load(std::memory_order_relaxed);
    return rate ? channel.rate.take(records, rate, mono_now()) : std::chrono::nanoseconds(0);
  }

  /// `records` for `channel` were rejected and nobody was answered.
  void lost(const ChannelPtr& channel, uint64_t records, Micros now);
  /// Says so in the channels' tails, at most once a second; call it as often.
  void tell(Mono now);

 private:
  struct Lost {
    uint64_t records = 0;
    Micros since = 0;
  };

  std::atomic<uint64_t> rate_;
  std::mutex mutex_;
  std::unordered_map<ChannelPtr, Lost> lost_;  // guarded by mutex_
  Mono told_{};                                // guarded by mutex_
};

}  // namespace tailrace
