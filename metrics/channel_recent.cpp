#include "metrics/channel_recent.h"

namespace tailrace {

ChannelRecent RecentTotal::finish(uint32_t index, Micros now) const {
  ChannelRecent recent;
  recent.index = index;
  recent.records_per_second = records.per_second(now);
  recent.requests = router.requests.requests;
  recent.failed = router.requests.failed;
  if (recent.requests)
    recent.requests_per_second = static_cast<double>(recent.requests) / router.requests.seconds(now);
  recent.timed = router.service.count();
  if (recent.timed) {
    recent.p50 = router.service.quantile(0.5);
    recent.p95 = router.service.quantile(0.95);
    recent.p99 = router.service.quantile(0.99);
  }
  return recent;
}

}  // namespace tailrace
