#pragma once
// The accumulators: every batch that is appended becomes counters and sketches, per channel.

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "channels/observer.h"
#include "metrics/channel_counts.h"
#include "metrics/rollup/rollup_source.h"

namespace tailrace {

struct Channel;

struct MetricsOptions {
  uint64_t channel_series = 1000, series = 200'000;  // series that users make: of a channel, of the process
  bool by_dyno = false, by_host = false;             // router series for each, within these budgets
  uint64_t open_bytes = 64u << 20;                   // that windows take until they are stored
};

/// Thread-safe. Made before the store that calls it, and outlives it. Each thread that appends counts into a
/// shard of its own; a reader merges the shards, one channel at a time. Invariants: (1) a batch takes one
/// lock, which only a reader of one of 1/64 of the channels ever contends for, and for no longer than one
/// channel takes; (2) nothing of a channel stays once forget() returned.
class Metrics final : public AppendObserver, public RollupSource {
 public:
  explicit Metrics(MetricsOptions options = {});
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void appended(const Channel& channel, std::span<const Slice> slices) override;

  /// Call it when `channel.removed` is set: its series vanish, and late batches do not bring them back.
  void forget(const Channel& channel);

  /// The channel with this Channel::index as of `now`; none if nothing was ever appended to it.
  std::optional<ChannelSnapshot> snapshot(uint32_t channel_index, Micros now);

  /// Every channel, ordered by id, shorter ids first, so that 2 is before 10.
  std::vector<ChannelSnapshot> snapshots(Micros now);

  /// What an overview of all channels shows, by Channel::index: those that something was ever appended to.
  std::vector<ChannelRecent> recent(Micros now);
  /// Of a channel, if dynos have series: up to `most` whose p95 of service is `from` seconds or more, the
  /// slowest first.
  std::vector<DynoTime> slowest_dynos(uint32_t channel_index, double from, size_t most, Micros now);

  OpenRoom& room() override { return room_; }
  std::vector<uint32_t> channels_counted() override;
  RollupDelta take(uint32_t channel_index) override;
  void replay(const Channel& channel, std::span<const Slice> slices) override;

  /// Who uses the budgets of series; for the API.
  const SeriesTables& series() const { return tables_; }
  void set_series_limits(uint64_t of_channel, uint64_t of_process);
  /// About every second, on a thread that holds no lock: tells tenants of series that were folded (L16), and
  /// lets idle ones expire.
  void tick(Micros now);

 private:
  struct Stripe {
    std::mutex mutex;
    std::vector<std::unique_ptr<ChannelCounts>> counts;  // by Channel::index / kStripes
  };
  static constexpr size_t kStripes = 64;
  struct Shard {
    std::thread::id owner;
    LineTools tools;  // the owner's
    std::array<Stripe, kStripes> stripes;
  };
  struct Known {
    std::string id;
    std::weak_ptr<const Channel> channel;
  };
  static std::unique_ptr<ChannelCounts>* cell(Stripe& stripe, uint32_t index);

  Shard& own_shard();
  bool admit(Shard& shard, const Channel& channel);
  void count(const Channel& channel, std::span<const Slice> slices, Counting counting);
  ChannelSnapshot merged(uint32_t index, std::string id, std::span<Shard* const> shards, Micros now);
  std::vector<Shard*> all_shards();  // under mutex_

  const MetricsOptions options_;
  SeriesTables tables_;
  OpenRoom room_;
  const uint64_t id_;  // of this object, never used twice in a process
  Micros expired_ = 0;
  std::mutex mutex_;  // of what follows; taken before a stripe's, never after
  std::vector<std::unique_ptr<Shard>> shards_;
  std::map<uint32_t, Known> known_;  // each channel with counts, by its index
};

}  // namespace tailrace
