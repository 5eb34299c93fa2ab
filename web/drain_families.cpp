#include "web/drain_families.h"

#include <algorithm>
#include <functional>

namespace tailrace {
namespace {

using Account = DrainSet::Account;

/// One family with one sample per drain.
template <class Value>
void per_drain(ExpositionWriter& out, std::span<const DrainSet::ChannelAccount> channels, const char* name,
               FamilyType type, const char* help, Value value) {
  out.family(name, type, help);
  for (const auto& channel : channels)
    for (const Account& drain : channel.drains)
      out.sample({{"channel", channel.channel->id}, {"drain", drain.entry.token}}, value(drain));
}

}  // namespace

void write_drain_families(ExpositionWriter& out, std::span<const DrainSet::ChannelAccount> channels,
                          Micros now) {
  using enum FamilyType;
  per_drain(out, channels, "tailrace_drain_accepted_records_total", counter,
            "Records of the channel since the drain's start.",
            [](const Account& d) { return d.ledger.accepted; });
  per_drain(out, channels, "tailrace_drain_delivered_records_total", counter,
            "Records that the far end took.", [](const Account& d) { return d.ledger.delivered; });
  per_drain(out, channels, "tailrace_drain_filtered_records_total", counter,
            "Records that the drain's filter did not want.",
            [](const Account& d) { return d.ledger.filtered; });
  out.family("tailrace_drain_dropped_records_total", counter, "Records given up, by reason.");
  for (const auto& channel : channels)
    for (const Account& drain : channel.drains)
      for (size_t r = 0; r < kDropReasons.size(); ++r)
        out.sample(
            {{"channel", channel.channel->id}, {"drain", drain.entry.token}, {"reason", kDropReasons[r]}},
            drain.ledger.dropped[r]);
  per_drain(out, channels, "tailrace_drain_buffered_records", gauge, "Records waiting for the far end.",
            [](const Account& d) { return d.ledger.buffered; });
  per_drain(
      out, channels, "tailrace_drain_lag_seconds", gauge, "Age of the oldest record that waits.",
      [now](const Account& d) { return d.oldest ? double(std::max<Micros>(now - d.oldest, 0)) / 1e6 : 0.0; });
  per_drain(out, channels, "tailrace_drain_up", gauge, "1 unless the drain is failing or paused.",
            [](const Account& d) {
              return uint64_t(d.status.state == DrainState::ok || d.status.state == DrainState::pending);
            });
}

}  // namespace tailrace
