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

Metrics::Metrics(MetricsOptions options) : options_(options), id_(next_id()) {}
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
  for (const Slice& slice : slices)
    for (const Record record : slice) (*counts)->add(record);
}

// Makes room for a channel in a shard, unless it is gone. `removed` is set before forget() takes the mutex,
// so who comes after forget() sees it here, and who came before is undone by it.
bool Metrics::admit(Shard& shard, const Channel& channel) {
  const std::lock_guard lock(mutex_);
  if (channel.removed.load(std::memory_order_relaxed)) return false;
  ids_.try_emplace(channel.index, channel.id);
  Stripe& stripe = shard.stripes[channel.index % kStripes];
  const std::lock_guard stripe_lock(stripe.mutex);
  const size_t at = channel.index / kStripes;
  if (stripe.counts.size() <= at) stripe.counts.resize(std::max(at + 1, stripe.counts.size() * 2));
  if (!stripe.counts[at]) stripe.counts[at] = std::make_unique<ChannelCounts>();
  return true;
}

void Metrics::forget(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  ids_.erase(channel.index);
  for (const auto& shard : shards_) {
    Stripe& stripe = shard->stripes[channel.index % kStripes];
    const std::lock_guard stripe_lock(stripe.mutex);
    if (auto* counts = cell(stripe, channel.index)) counts->reset();
  }
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
  TimingSketches recent;
  for (Shard* shard : shards) {
    Stripe& stripe = shard->stripes[index % kStripes];
    const std::lock_guard lock(stripe.mutex);
    if (auto* counts = cell(stripe, index)) (*counts)->merge_into(snapshot, recent, now);
  }
  for (size_t t = 0; t < kTimings; ++t)
    for (size_t q = 0; q < kQuantiles.size(); ++q)
      snapshot.quantiles[t][q] = recent[t].quantile(kQuantiles[q]);
  return snapshot;
}

std::optional<ChannelSnapshot> Metrics::snapshot(uint32_t channel_index, Micros now) {
  std::vector<Shard*> shards;
  std::string id;
  {
    const std::lock_guard lock(mutex_);
    const auto known = ids_.find(channel_index);
    if (known == ids_.end()) return std::nullopt;
    id = known->second;
    shards = all_shards();
  }
  return merged(channel_index, std::move(id), shards, now);
}

std::vector<ChannelSnapshot> Metrics::snapshots(Micros now) {
  std::vector<Shard*> shards;
  std::vector<std::pair<uint32_t, std::string>> known;
  {
    const std::lock_guard lock(mutex_);
    known.assign(ids_.begin(), ids_.end());
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
    if (snapshot.records != 0) all.push_back(std::move(snapshot));  // else forgotten in between
  }
  return all;
}

}  // namespace tailrace
