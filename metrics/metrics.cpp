#include "metrics/metrics.h"

#include <algorithm>
#include <atomic>
#include <tuple>

#include "channels/channel.h"

namespace tailrace {
namespace {

uint64_t next_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

Metrics::Metrics(MetricsOptions options)
    : options_(options),
      tables_(static_cast<uint32_t>(options.channel_series), options.series),
      room_(options.open_bytes),
      id_(next_id()) {}
Metrics::~Metrics() = default;

// The shard of this thread. A thread keeps the last one it found; one that has ended leaves its shard, with
// what it counted, to the next with its id.
Metrics::Shard& Metrics::own_shard() {
  struct Found {
    uint64_t metrics = 0;
    Shard* shard = nullptr;
  };
  thread_local Found found;
  if (found.metrics == id_) return *found.shard;
  const std::lock_guard lock(mutex_);
  const auto self = std::this_thread::get_id();
  auto it = std::find_if(shards_.begin(), shards_.end(), [&](const auto& s) { return s->owner == self; });
  if (it == shards_.end()) {
    it = shards_.insert(shards_.end(), std::make_unique<Shard>());
    (*it)->owner = self;
  }
  found = {id_, it->get()};
  return **it;
}

std::unique_ptr<ChannelCounts>* Metrics::cell(Stripe& stripe, uint32_t index) {
  const size_t at = index / kStripes;
  return at < stripe.counts.size() && stripe.counts[at] ? &stripe.counts[at] : nullptr;
}

void Metrics::appended(const Channel& channel, std::span<const Slice> slices) {
  count(channel, slices, Counting::live);
}

void Metrics::replay(const Channel& channel, std::span<const Slice> slices) {
  count(channel, slices, Counting::replay);
}

void Metrics::count(const Channel& channel, std::span<const Slice> slices, Counting counting) {
  Shard& shard = own_shard();
  Stripe& stripe = shard.stripes[channel.index % kStripes];
  std::unique_lock lock(stripe.mutex);
  auto* counts = cell(stripe, channel.index);
  if (!counts) {
    lock.unlock();
    if (!admit(shard, channel)) return;
    lock.lock();
    counts = cell(stripe, channel.index);
    if (!counts) return;  // forgotten in between
  }
  (*counts)->add(slices, shard.tools, counting);
}

// Makes room for a channel in a shard, unless it is gone. `removed` is set before forget() takes the mutex,
// so who comes after forget() sees it here, and who came before is undone by it.
bool Metrics::admit(Shard& shard, const Channel& channel) {
  const std::lock_guard lock(mutex_);
  if (channel.removed.load(std::memory_order_relaxed)) return false;
  known_.try_emplace(channel.index, Known{channel.id, channel.weak_from_this()});
  Stripe& stripe = shard.stripes[channel.index % kStripes];
  const std::lock_guard stripe_lock(stripe.mutex);
  const size_t at = channel.index / kStripes;
  if (stripe.counts.size() <= at) stripe.counts.resize(std::max(at + 1, stripe.counts.size() * 2));
  if (!stripe.counts[at])
    stripe.counts[at] = std::make_unique<ChannelCounts>(
        ChannelCounts::Options{tables_, channel.index, options_.by_dyno, options_.by_host, &room_});
  return true;
}

void Metrics::forget(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  known_.erase(channel.index);
  for (const auto& shard : shards_) {
    Stripe& stripe = shard->stripes[channel.index % kStripes];
    const std::lock_guard stripe_lock(stripe.mutex);
    if (auto* counts = cell(stripe, channel.index)) counts->reset();
  }
  tables_.forget(channel.index);  // behind the shares, which would make it anew
}

std::vector<Metrics::Shard*> Metrics::all_shards() {
  std::vector<Shard*> all;
  for (const auto& shard : shards_) all.push_back(shard.get());
  return all;
}

ChannelSnapshot Metrics::merged(uint32_t index, std::string id, std::span<Shard* const> shards, Micros now) {
  ChannelSnapshot snapshot;
  snapshot.index = index;
  snapshot.id = std::move(id);
  ChannelCounts::Merge merge;
  for (Shard* shard : shards) {
    Stripe& stripe = shard->stripes[index % kStripes];
    const std::lock_guard lock(stripe.mutex);
    if (auto* counts = cell(stripe, index)) merge.add(**counts, now);
  }
  merge.finish(snapshot, tables_.find(index).get(), now);
  return snapshot;
}

std::optional<ChannelSnapshot> Metrics::snapshot(uint32_t channel_index, Micros now) {
  std::vector<Shard*> shards;
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(channel_index);
    if (known == known_.end()) return std::nullopt;
    id = known->second.id;
    shards = all_shards();
  }
  ChannelSnapshot snapshot = merged(channel_index, std::move(id), shards, now);
  if (snapshot.records == 0) return std::nullopt;  // nothing in this run, or forgotten in between
  return snapshot;
}

std::vector<ChannelSnapshot> Metrics::snapshots(Micros now) {
  std::vector<Shard*> shards;
  std::vector<std::pair<uint32_t, std::string>> known;
  {
    const std::lock_guard lock(mutex_);
    known.reserve(known_.size());
    for (const auto& [index, channel] : known_) known.emplace_back(index, channel.id);
    shards = all_shards();
  }
  std::sort(known.begin(), known.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.second.size(), std::string_view(a.second), a.first) <
           std::tuple(b.second.size(), std::string_view(b.second), b.first);
  });
  std::vector<ChannelSnapshot> all;
  all.reserve(known.size());
  for (auto& [index, id] : known) {
    ChannelSnapshot snapshot = merged(index, std::move(id), shards, now);
    if (snapshot.records != 0)
      all.push_back(std::move(snapshot));  // else nothing in this run, or forgotten in between
  }
  return all;
}

std::vector<ChannelRecent> Metrics::recent(Micros now) {
  std::vector<Shard*> shards;
  std::vector<uint32_t> known;
  {
    const std::lock_guard lock(mutex_);
    known.reserve(known_.size());
    for (const auto& [index, channel] : known_) known.push_back(index);
    shards = all_shards();
  }
  std::vector<ChannelRecent> all;
  all.reserve(known.size());
  for (const uint32_t index : known) {
    RecentTotal total;
    for (Shard* shard : shards) {
      Stripe& stripe = shard->stripes[index % kStripes];
      const std::lock_guard lock(stripe.mutex);
      if (auto* counts = cell(stripe, index)) (*counts)->merge_recent(total, now);
    }
    all.push_back(total.finish(index, now));
  }
  return all;
}

std::vector<DynoTime> Metrics::slowest_dynos(uint32_t channel_index, double from, size_t most, Micros now) {
  std::vector<Shard*> shards;
  {
    const std::lock_guard lock(mutex_);
    shards = all_shards();
  }
  ChannelCounts::DynoSketches dynos;
  for (Shard* shard : shards) {
    Stripe& stripe = shard->stripes[channel_index % kStripes];
    const std::lock_guard lock(stripe.mutex);
    if (auto* counts = cell(stripe, channel_index)) (*counts)->merge_dynos(dynos, now);
  }
  std::vector<DynoTime> slow;
  for (const auto& [dyno, times] : dynos)
    if (const double p95 = times.quantile(0.95); p95 >= from) slow.push_back({dyno, p95});
  std::ranges::stable_sort(slow, std::greater(), &DynoTime::p95);
  slow.resize(std::min(slow.size(), most));
  return slow;
}

std::vector<uint32_t> Metrics::channels_counted() {
  const std::lock_guard lock(mutex_);
  std::vector<uint32_t> counted;
  for (const auto& [index, known] : known_) {
    const bool some = std::ranges::any_of(shards_, [&, at = index](const auto& shard) {
      Stripe& stripe = shard->stripes[at % kStripes];
      const std::lock_guard stripe_lock(stripe.mutex);
      const auto* counts = cell(stripe, at);
      return counts && !(*counts)->nothing_to_take();
    });
    if (some) counted.push_back(index);
  }
  return counted;
}

RollupDelta Metrics::take(uint32_t channel_index) {
  std::vector<Shard*> shards;
  {
    const std::lock_guard lock(mutex_);
    shards = all_shards();
  }
  RollupDelta delta;
  for (Shard* shard : shards) {
    Stripe& stripe = shard->stripes[channel_index % kStripes];
    std::unique_lock lock(stripe.mutex);
    auto* counts = cell(stripe, channel_index);
    if (!counts || (*counts)->nothing_to_take()) continue;
    ChannelCounts::Taken taken = (*counts)->take();
    lock.unlock();
    std::ranges::sort(taken.series, {}, [](const SeriesPtr& series) { return series->id; });
    delta.add(std::move(taken.windows), [&](SeriesId id) {
      if (id < first_own_series) return fixed_series_name(id);
      const auto found =
          std::ranges::lower_bound(taken.series, id, {}, [](const SeriesPtr& series) { return series->id; });
      return SeriesName((*found)->key());
    });
    std::ranges::move(taken.marks, std::back_inserter(delta.marks));
  }
  return delta;
}

void Metrics::set_series_limits(uint64_t of_channel, uint64_t of_process) {
  tables_.limits().set(static_cast<uint32_t>(of_channel), of_process);
}

void Metrics::tick(Micros now) {
  std::vector<std::pair<uint32_t, std::shared_ptr<const Channel>>> channels;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [index, known] : known_)
      if (auto channel = known.channel.lock()) channels.emplace_back(index, std::move(channel));
  }
  for (const auto& [index, channel] : channels)
    if (const auto table = tables_.find(index)) table->tell(*channel, now);
  constexpr Micros kExpireEvery = 60'000'000;
  if (now - expired_ < kExpireEvery && now >= expired_) return;
  expired_ = now;
  tables_.expire(now);
}

}  // namespace tailrace
