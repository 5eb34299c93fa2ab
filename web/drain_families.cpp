#include "web/drain_families.h"

#include <algorithm>
#include <array>
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

void write_states(ExpositionWriter& out, std::span<const DrainSet::ChannelAccount> channels) {
  constexpr std::array kStates = {DrainState::pending, DrainState::ok, DrainState::failing,
                                  DrainState::paused};
  out.family("tailrace_drain_state", FamilyType::gauge, "1 for the state that the drain is in, else 0.");
  for (const auto& channel : channels)
    for (const Account& drain : channel.drains)
      for (const DrainState state : kStates)
        out.sample(
            {{"channel", channel.channel->id}, {"drain", drain.entry.token}, {"state", to_string(state)}},
            uint64_t(drain.status.state == state));
  per_drain(out, channels, "tailrace_drain_state_since_seconds", FamilyType::gauge,
            "When the drain came into its state, since the Unix epoch.",
            [](const Account& d) { return double(d.status.since) / 1e6; });
}

/// Of drains that get answers, once they have got one.
void write_answers(ExpositionWriter& out, std::span<const DrainSet::ChannelAccount> channels) {
  const Mono now = mono_now();
  out.family("tailrace_drain_answer_quantile_seconds", FamilyType::summary,
             "Time a request took: quantiles over the last 5 to 10 min, sum and count since the start.");
  for (const auto& channel : channels)
    for (const Account& drain : channel.drains) {
      const AnswerTimes times = drain.history->answer_times(now);
      if (!times.all_answers) continue;
      const std::string_view id = channel.channel->id, token = drain.entry.token;
      out.sample({{"channel", id}, {"drain", token}, {"quantile", "0.5"}}, times.p50);
      out.sample({{"channel", id}, {"drain", token}, {"quantile", "0.99"}}, times.p99);
      out.sample("_sum", {{"channel", id}, {"drain", token}}, times.all_seconds);
      out.sample("_count", {{"channel", id}, {"drain", token}}, times.all_answers);
    }
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
  write_states(out, channels);
  write_answers(out, channels);
  per_drain(out, channels, "tailrace_drain_certificate_notices_total", counter,
            "Times that the channel was told of a certificate in the way (L14).",
            [](const Account& d) { return d.history->certificate_notices(); });
}

}  // namespace tailrace
