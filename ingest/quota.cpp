#include "ingest/quota.h"

#include "base/time_text.h"
#include "channels/log.h"

namespace tailrace {

void Quota::lost(const ChannelPtr& channel, uint64_t records, Micros now) {
  const std::lock_guard lock(mutex_);
  Lost& lost = lost_[channel];
  if (lost.records == 0) lost.since = now;
  lost.records += records;
}

void Quota::tell(Mono now) {
  std::unordered_map<ChannelPtr, Lost> lost;
  {
    const std::lock_guard lock(mutex_);
    if (lost_.empty() || now - told_ < std::chrono::seconds(1)) return;
    told_ = now;
    lost.swap(lost_);
  }
  const std::string time = rfc3339_micros(wall_now());
  const uint64_t rate = rate_.load(std::memory_order_relaxed);
  for (const auto& [channel, of] : lost)
    channel->log->add_notice(time + " tailrace[ingest]: " + std::to_string(of.records) +
                             " records over the channel's rate of " + std::to_string(rate) +
                             " per second rejected since " + rfc3339_micros(of.since));
}

}  // namespace tailrace
