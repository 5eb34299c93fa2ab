#pragma once
// The families of queueing: tailrace_router_request_rate, …_concurrency, …_dynos, …_saturation_ratio, and
// tailrace_queue_seconds.

#include <span>
#include <string_view>

#include "metrics/exposition.h"
#include "metrics/queueing/queueing.h"

namespace tailrace {

struct ChannelQueueing {
  std::string_view channel;  // its id
  Queueing queueing;
};

/// In the order given. What is NaN is left out, so that a channel without router lines leaves no trace.
void write_queueing_families(ExpositionWriter& out, std::span<const ChannelQueueing> channels);

}  // namespace tailrace
