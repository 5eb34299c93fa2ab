#include "metrics/queueing/queueing_families.h"

#include <cmath>

namespace tailrace {
namespace {

using Channels = std::span<const ChannelQueueing>;

void write_gauge(ExpositionWriter& out, Channels channels, std::string_view name, std::string_view help,
                 double Queueing::* figure) {
  out.family(name, FamilyType::gauge, help);
  for (const auto& c : channels)
    if (!std::isnan(c.queueing.*figure)) out.sample({{"channel", c.channel}}, c.queueing.*figure);
}

}  // namespace

void write_queueing_families(ExpositionWriter& out, Channels channels) {
  write_gauge(out, channels, "tailrace_router_request_rate", "Requests per second, over the last 60 s.",
              &Queueing::rate);
  write_gauge(out, channels, "tailrace_router_concurrency",
              "Requests at the dynos at one time, served or waiting there: mean over the last 60 s.",
              &Queueing::concurrency);
  out.family("tailrace_router_dynos", FamilyType::gauge, "Dynos that router lines named in the last 60 s.");
  for (const auto& c : channels)
    if (!std::isnan(c.queueing.rate)) out.sample({{"channel", c.channel}}, uint64_t{c.queueing.dynos});
  write_gauge(out, channels, "tailrace_router_saturation_ratio",
              "Requests at each dyno at one time, served or waiting there: mean over the last 60 s.",
              &Queueing::saturation);

  out.family(
      "tailrace_queue_seconds", FamilyType::gauge,
      "Mean time in queue over the last 60 s: told by the router (wait), estimated from the depth of its "
      "queue (depth), measured by the app (app).");
  for (const auto& c : channels) {
    const Queueing& q = c.queueing;
    const std::pair<std::string_view, double> froms[] = {
        {"wait", q.wait}, {"depth", q.depth}, {"app", q.app}};
    for (const auto& [from, seconds] : froms)
      if (!std::isnan(seconds)) out.sample({{"channel", c.channel}, {"from", from}}, seconds);
  }
}

}  // namespace tailrace
