#include "metrics/series_families.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace tailrace {
namespace {

using Channels = std::span<const ChannelSeries>;

// Those of one kind lie together.
std::span<const SeriesValues> of_kind(const SeriesSnapshot& snapshot, SeriesKind kind) {
  const auto begin = snapshot.values.begin();
  const auto [first, past] =
      std::equal_range(begin, snapshot.values.end(), kind, [](const auto& a, const auto& b) {
        const auto kind_of = [](const auto& x) {
          if constexpr (std::is_same_v<std::decay_t<decltype(x)>, SeriesKind>)
            return x;
          else
            return x.series->kind;
        };
        return kind_of(a) < kind_of(b);
      });
  return {first, past};
}

// use(channel, key, values) for each series of a kind.
template <class F>
void for_each(Channels channels, SeriesKind kind, F&& use) {
  for (const ChannelSeries& c : channels)
    for (const SeriesValues& values : of_kind(*c.series, kind)) use(c.channel, values.series->key(), values);
}

const std::array<std::string, kQuantiles.size()>& quantile_texts() {
  static const auto texts = [] {
    std::array<std::string, kQuantiles.size()> all;
    std::array<char, 32> room;
    for (size_t i = 0; i < all.size(); ++i) all[i] = number_text(kQuantiles[i], room);
    return all;
  }();
  return texts;
}

// The lines of one series in a summary; `labels` has room for one more at its end.
template <size_t N>
void write_summary(ExpositionWriter& out, std::array<Label, N>& labels, const SeriesValues& values) {
  for (size_t q = 0; q < kQuantiles.size(); ++q) {
    labels.back() = {"quantile", quantile_texts()[q]};
    out.sample({}, labels, values.quantiles[q]);
  }
  const std::span<const Label> plain(labels.data(), N - 1);
  out.sample("_sum", plain, values.sum);
  out.sample("_count", plain, static_cast<double>(values.count));
}

void write_users_series(ExpositionWriter& out, Channels channels) {
  out.family("tailrace_measure", FamilyType::summary,
             "measure# pairs: quantiles over the last 60 s, sum and count since the start.");
  for_each(channels, SeriesKind::measure, [&](std::string_view channel, const SeriesKey& key, const auto& v) {
    std::array<Label, 5> labels = {
        {{"channel", channel}, {"name", key.name}, {"source", key.source}, {"unit", key.unit}, {}}};
    write_summary(out, labels, v);
  });
  out.family("tailrace_count_total", FamilyType::counter, "count# pairs: their sum since the start.");
  for_each(channels, SeriesKind::count, [&](std::string_view channel, const SeriesKey& key, const auto& v) {
    out.sample({{"channel", channel}, {"name", key.name}, {"source", key.source}, {"unit", key.unit}}, v.sum);
  });
  out.family("tailrace_sample", FamilyType::gauge, "sample# pairs: the value with the latest line time.");
  for_each(channels, SeriesKind::sample, [&](std::string_view channel, const SeriesKey& key, const auto& v) {
    out.sample({{"channel", channel}, {"name", key.name}, {"source", key.source}, {"unit", key.unit}},
               v.last);
  });
}

// A gauge of several dynos means nothing: those past the bound are left out.
void write_dyno_gauges(ExpositionWriter& out, Channels channels, SeriesKind kind, std::string_view label) {
  for_each(channels, kind, [&](std::string_view channel, const SeriesKey& key, const SeriesValues& v) {
    if (v.series->overflow) return;
    out.sample(
        {{"channel", channel}, {"dyno", key.source}, {label, key.name.substr(key.name.rfind('.') + 1)}},
        v.last);
  });
}

struct RequestNames {
  SeriesKind kind;
  const char *label, *service, *service_help, *requests, *requests_help;
};
constexpr std::array<RequestNames, 2> kRequestNames = {{
    {SeriesKind::router_dyno, "dyno", "tailrace_router_dyno_service_quantile_seconds",
     "Service time by dyno: quantiles over the last 60 s, sum and count since the start.",
     "tailrace_router_dyno_requests_total", "Requests that the router told of, by dyno and class of status."},
    {SeriesKind::router_host, "host", "tailrace_router_host_service_quantile_seconds",
     "Service time by host: quantiles over the last 60 s, sum and count since the start.",
     "tailrace_router_host_requests_total", "Requests that the router told of, by host and class of status."},
}};

void write_requests(ExpositionWriter& out, Channels channels, const RequestNames& names) {
  constexpr std::string_view kStatus = "router.status.";
  out.family(names.service, FamilyType::summary, names.service_help);
  for_each(channels, names.kind, [&](std::string_view channel, const SeriesKey& key, const auto& v) {
    if (key.name.starts_with(kStatus)) return;
    std::array<Label, 3> labels = {{{"channel", channel}, {names.label, key.source}, {}}};
    write_summary(out, labels, v);
  });
  out.family(names.requests, FamilyType::counter, names.requests_help);
  for_each(channels, names.kind, [&](std::string_view channel, const SeriesKey& key, const auto& v) {
    if (!key.name.starts_with(kStatus)) return;
    out.sample({{"channel", channel}, {names.label, key.source}, {"class", key.name.substr(kStatus.size())}},
               v.count);
  });
}

void write_accounts(ExpositionWriter& out, Channels channels) {
  out.family("tailrace_series", FamilyType::gauge, "Series that count toward the channel's bound.");
  for (const ChannelSeries& c : channels)
    if (c.series->totals.limit || c.series->totals.series)
      out.sample({{"channel", c.channel}}, c.series->totals.series);
  out.family("tailrace_series_rejected_total", FamilyType::counter,
             "Different series that found no room and were folded into _overflow.");
  for (const ChannelSeries& c : channels)
    if (c.series->totals.limit || c.series->totals.folded)
      out.sample({{"channel", c.channel}}, c.series->totals.folded);
  out.family("tailrace_pairs_rejected_total", FamilyType::counter,
             "Pairs of measure#, count# and sample# that count in no series, by reason.");
  for (const ChannelSeries& c : channels) {
    const PairsRejected& r = c.series->rejected;
    for (const auto& [reason, pairs] : {std::pair<std::string_view, uint64_t>{"empty", r.empty},
                                        {"not_a_number", r.not_a_number},
                                        {"negative", r.negative},
                                        {"label", r.label}})
      if (pairs) out.sample({{"channel", c.channel}, {"reason", reason}}, pairs);
  }
}

}  // namespace

void write_series_families(ExpositionWriter& out, Channels channels) {
  write_users_series(out, channels);
  out.family("tailrace_dyno_memory_bytes", FamilyType::gauge, "Memory of a dyno, as Heroku last told it.");
  write_dyno_gauges(out, channels, SeriesKind::dyno_memory, "kind");
  out.family("tailrace_dyno_load", FamilyType::gauge, "Load average of a dyno, as Heroku last told it.");
  write_dyno_gauges(out, channels, SeriesKind::dyno_load, "window");
  for (const RequestNames& names : kRequestNames) write_requests(out, channels, names);
  write_accounts(out, channels);
}

}  // namespace tailrace
