#include "metrics/channel_families.h"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "metrics/queueing/queueing_families.h"
#include "metrics/series_families.h"

namespace tailrace {
namespace {

using Channels = std::span<const ChannelSnapshot>;

struct TimingNames {
  const char *histogram, *histogram_help, *summary, *summary_help;
};
constexpr std::array<TimingNames, kTimings> kTimingNames = {{
    {"tailrace_router_service_seconds", "Time between the router and the dyno's answer.",
     "tailrace_router_service_quantile_seconds",
     "Service time: quantiles over the last 60 s, sum and count since the start."},
    {"tailrace_router_connect_seconds", "Time the router took to connect to the dyno.",
     "tailrace_router_connect_quantile_seconds",
     "Connect time: quantiles over the last 60 s, sum and count since the start."},
    {"tailrace_router_wait_seconds", "Time a request waited in the router's queue.",
     "tailrace_router_wait_quantile_seconds",
     "Wait time: quantiles over the last 60 s, sum and count since the start."},
}};

// Numbers that stand in labels, as text.
std::vector<std::string> texts_of(std::span<const double> numbers) {
  std::vector<std::string> texts;
  std::array<char, 32> room;
  for (const double n : numbers) texts.emplace_back(number_text(n, room));
  return texts;
}

template <class H>
void write_histogram(ExpositionWriter& out, std::string_view channel, const H& histogram,
                     const Exemplars* exemplars = nullptr) {
  static const std::vector<std::string> bounds = texts_of(H::bounds());
  uint64_t within = 0;
  for (size_t i = 0; i <= bounds.size(); ++i) {
    within += histogram.counts[i];
    const Exemplar* exemplar = exemplars ? exemplars->of(i) : nullptr;
    ShownExemplar shown;
    if (exemplar) shown = {{kExemplarLabel, exemplar->request_id}, exemplar->value, exemplar->time};
    out.bucket({{"channel", channel}, {"le", i < bounds.size() ? std::string_view(bounds[i]) : "+Inf"}},
               within, exemplar ? &shown : nullptr);
  }
  out.sample("_sum", {{"channel", channel}}, histogram.sum.value());
  out.sample("_count", {{"channel", channel}}, histogram.count);
}

void write_requests(ExpositionWriter& out, Channels channels) {
  out.family("tailrace_router_requests_total", FamilyType::counter,
             "Requests that the router told of, by HTTP status.");
  for (const auto& c : channels) {
    c.router.requests.for_each([&](size_t status, uint64_t count) {
      std::array<char, 8> room;
      const char* end = std::to_chars(room.data(), room.data() + room.size(), status + 100).ptr;
      out.sample({{"channel", c.id}, {"status", {room.data(), static_cast<size_t>(end - room.data())}}},
                 count);
    });
    if (c.router.without_status) out.sample({{"channel", c.id}, {"status", "none"}}, c.router.without_status);
  }
}

void write_codes(ExpositionWriter& out, std::string_view channel, const auto& codes) {
  codes.for_each([&](size_t code, uint64_t count) {
    const auto text = code_text(static_cast<int>(code));
    out.sample({{"channel", channel}, {"code", {text.data(), text.size()}}}, count);
  });
}

void write_timings(ExpositionWriter& out, Channels channels) {
  static const std::vector<std::string> quantiles = texts_of(kQuantiles);
  for (size_t t = 0; t < kTimings; ++t) {
    out.family(kTimingNames[t].histogram, FamilyType::histogram, kTimingNames[t].histogram_help);
    for (const auto& c : channels)
      if (c.router.timings[t].count)
        write_histogram(out, c.id, c.router.timings[t],
                        t == static_cast<size_t>(Timing::service) ? &c.exemplars : nullptr);
  }
  for (size_t t = 0; t < kTimings; ++t) {
    out.family(kTimingNames[t].summary, FamilyType::summary, kTimingNames[t].summary_help);
    for (const auto& c : channels) {
      const SecondsHistogram& all = c.router.timings[t];
      if (!all.count) continue;
      for (size_t q = 0; q < quantiles.size(); ++q)
        out.sample({{"channel", c.id}, {"quantile", quantiles[q]}}, c.quantiles[t][q]);
      out.sample("_sum", {{"channel", c.id}}, all.sum.value());
      out.sample("_count", {{"channel", c.id}}, all.count);
    }
  }
}

}  // namespace

void write_channel_families(ExpositionWriter& out, Channels channels) {
  out.family("tailrace_channel_records_total", FamilyType::counter, "Records accepted.");
  for (const auto& c : channels) out.sample({{"channel", c.id}}, c.records);
  out.family("tailrace_channel_bytes_total", FamilyType::counter, "Bytes of the accepted records' text.");
  for (const auto& c : channels) out.sample({{"channel", c.id}}, c.bytes);

  write_requests(out, channels);
  out.family("tailrace_router_errors_total", FamilyType::counter,
             "Requests that failed in the router, by H code.");
  for (const auto& c : channels) write_codes(out, c.id, c.router.errors);
  out.family("tailrace_router_response_bytes_total", FamilyType::counter,
             "Bytes of the answers to requests.");
  for (const auto& c : channels)
    if (c.router.with_bytes) out.sample({{"channel", c.id}}, c.router.bytes);
  write_timings(out, channels);
  out.family("tailrace_router_queue_depth", FamilyType::histogram,
             "Requests in the router's queue before this one.");
  for (const auto& c : channels)
    if (c.router.queue.count) write_histogram(out, c.id, c.router.queue);

  out.family("tailrace_platform_errors_total", FamilyType::counter,
             "Errors that the platform told of, by R or L code.");
  for (const auto& c : channels) write_codes(out, c.id, c.platform_errors);

  out.family("tailrace_late_records_total", FamilyType::counter,
             "Lines older than any window that is kept: they count in no window.");
  for (const auto& c : channels)
    if (c.late) out.sample({{"channel", c.id}}, c.late);
  out.family("tailrace_clock_ahead_records_total", FamilyType::counter,
             "Lines dated more than 60 s after their arrival: they count at their arrival.");
  for (const auto& c : channels)
    if (c.ahead) out.sample({{"channel", c.id}}, c.ahead);

  std::vector<ChannelQueueing> queueing;
  std::vector<ChannelSeries> series;
  queueing.reserve(channels.size());
  series.reserve(channels.size());
  for (const auto& c : channels) {
    queueing.push_back({c.id, c.queueing});
    if (!c.series.empty()) series.push_back({c.id, &c.series});
  }
  write_queueing_families(out, queueing);
  write_series_families(out, series);
}

}  // namespace tailrace
