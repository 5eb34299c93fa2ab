#include "metrics/channel_counts.h"

#include <utility>

namespace tailrace {
namespace {

// When a series is used: one that is read again is used now.
Micros seen_at(const Record& record, Counting counting) {
  return counting == Counting::live ? record.arrival() : wall_now();
}

// The first `most` bytes, or a little less, so that no character is cut.
std::string beginning(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80) --most;
  return std::string(text.substr(0, most));
}

}  // namespace

void ChannelCounts::add(std::span<const Slice> slices, LineTools& tools, Counting counting) {
  tools.router.clear();
  for (const Slice& slice : slices) {
    Position position = slice.first;
    for (const Record record : slice) {
      if (counting == Counting::live) {
        ++records_;
        bytes_ += record.text().size();
      }
      read(record, position, tools, counting);
      ++position.value;
    }
    count_router_lines(tools.router, counting);
    if (counting == Counting::live && !slice.empty()) recent_.add((*slice.begin()).arrival(), slice.records);
    windows_.cover(slice.first, slice.past());
  }
}

void ChannelCounts::read(const Record& record, Position position, LineTools& tools, Counting counting) {
  if (record.header().flags & kSplitEntry) return;  // of a split record only the beginning says what it is
  const bool platform = record.app() == "heroku";
  if (platform && record.procid() == "router") return read_router_line(record, position, tools, counting);
  const std::string_view message = record.message();
  const bool samples = may_have_samples(message);
  const int code = platform ? leading_code(message) : kNoCode;
  const auto event = code == kNoCode ? platform_event(record.app(), record.procid(), message) : std::nullopt;
  if (!samples && code == kNoCode && !event) return;

  const auto [window, time] = window_of(record, tools, counting);
  const Stamp at{time, position};
  if (samples) read_samples(record, platform, at, window, tools, counting);
  if (code != kNoCode) add_code(code, at, window, counting);
  if (event) mark(*event, record, time);
}

void ChannelCounts::read_router_line(const Record& record, Position position, LineTools& tools,
                                     Counting counting) {
  const std::string_view message = record.message();
  const RouterLine line = scan_router_line(message);
  auto [window, time] = window_of(record, tools, counting);
  const Stamp at{time, position};
  const WindowSpan span = window ? windows_.current() : WindowSpan();
  RouterBatch& batch = tools.router;
  if (batch.size != 0 && (batch.full() || span != batch.window || record.arrival() != batch.arrival)) {
    count_router_lines(batch, counting);
    if (window) window = windows_.again(span);
  }
  batch.window = span;
  batch.arrival = record.arrival();
  batch.add(line, message, at);
  if (line.code != kNoCode) add_code(line.code, at, window, counting);
  if (!options_.by_dyno && !options_.by_host) return;
  const Micros arrival = seen_at(record, counting);
  if (options_.by_dyno)
    series().add_request(SeriesKind::router_dyno, line.dyno, line.service, line.status, at, arrival, window,
                         counting);
  if (options_.by_host)
    series().add_request(SeriesKind::router_host, router_value(message, "host"), line.service, line.status,
                         at, arrival, window, counting);
}

void ChannelCounts::count_router_lines(RouterBatch& batch, Counting counting) {
  if (batch.size == 0) return;
  if (batch.window.length != 0) add_to_window(*windows_.again(batch.window), batch);
  if (counting == Counting::live) router().add(batch);
  batch.clear();
}

void ChannelCounts::read_samples(const Record& record, bool platform, Stamp at, OpenWindow* window,
                                 LineTools& tools, Counting counting) {
  SampleLine& line = tools.samples;
  scan_sample_line(record.message(), line);
  const Micros arrival = seen_at(record, counting);
  if (platform)
    series().add_runtime(line, record.procid(), at, arrival, window, counting);
  else
    series().add(line, at, arrival, window, counting);
  if (counting == Counting::replay) return;
  for (const SamplePair& pair : line.pairs)
    if (pair.kind == SeriesKind::measure && is_app_queue(pair.name, pair.unit))
      router().add_app_queue(record.arrival(), pair.value);
}

void ChannelCounts::add_code(int code, Stamp at, OpenWindow* window, Counting counting) {
  if (window) window->count(series_error + static_cast<SeriesId>(code), at);
  if (counting == Counting::replay) return;
  if (is_router_code(code))
    router().add_error(code);
  else
    platform_errors_.add(static_cast<size_t>(code));
}

void ChannelCounts::mark(PlatformEvent event, const Record& record, Micros time) {
  constexpr size_t kMostText = 200, kMostProcid = 64;
  if (marks_.size() == kMostMarks) marks_.erase(marks_.begin());
  marks_.push_back(
      {time, event, beginning(record.procid(), kMostProcid), beginning(record.message(), kMostText)});
}

ChannelCounts::Placed ChannelCounts::window_of(const Record& record, LineTools& tools, Counting counting) {
  Placed placed;
  placed.time = tools.time.read(record.time(), record.arrival());
  placed.window = windows_.at(placed.time, record.arrival(), counting == Counting::replay);
  return placed;
}

RouterShare& ChannelCounts::router() {
  if (!router_) router_ = std::make_unique<RouterShare>();
  return *router_;
}

SeriesCounts& ChannelCounts::series() {
  if (!series_) series_ = std::make_unique<SeriesCounts>(options_.tables.open(options_.channel));
  return *series_;
}

ChannelCounts::Taken ChannelCounts::take() {
  return {windows_.take(), std::exchange(marks_, {}),
          series_ ? series_->take_series() : std::vector<SeriesPtr>()};
}

void ChannelCounts::merge_recent(RecentTotal& into, Micros now) {
  recent_.merge_into(into.records, now);
  if (router_) router_->merge_recent(into.router, now);
}

void ChannelCounts::merge_dynos(DynoSketches& into, Micros now) {
  if (!series_) return;
  series_->for_each(now,
                    [&](const SeriesPtr& series, const SeriesCounts::Counts&, const RecentValues* recent) {
                      if (!recent || series->overflow || series->kind != SeriesKind::router_dyno) return;
                      const std::string_view dyno = series->key().source;
                      auto found = into.find(dyno);
                      if (found == into.end()) found = into.try_emplace(std::string(dyno)).first;
                      recent->merge_into(found->second, now);
                    });
}

void ChannelCounts::Merge::add(ChannelCounts& share, Micros now) {
  sums_.records += share.records_;
  sums_.bytes += share.bytes_;
  sums_.late += share.windows_.late();
  sums_.ahead += share.windows_.ahead();
  sums_.platform_errors.merge(share.platform_errors_);
  if (share.router_) share.router_->merge_into(router_, now);
  if (share.series_) series_.add(*share.series_, now);
}

void ChannelCounts::Merge::finish(ChannelSnapshot& into, const SeriesTable* table, Micros now) {
  sums_.index = into.index;
  sums_.id = std::move(into.id);
  into = std::move(sums_);
  into.router = std::move(router_.counts);
  into.exemplars = std::move(router_.exemplars);
  for (size_t t = 0; t < kTimings; ++t)
    for (size_t q = 0; q < kQuantiles.size(); ++q)
      into.quantiles[t][q] = router_.recent[t].quantile(kQuantiles[q]);
  const auto count_and_sum = [&](Timing timing) {
    const Sketch& sketch = router_.recent[static_cast<size_t>(timing)];
    return CountSum{sketch.count(), sketch.sum()};
  };
  into.queueing = Queueing::of(
      router_.queueing.numbers(now, count_and_sum(Timing::service), count_and_sum(Timing::wait)));
  if (table) into.series = series_.finish(*table, now);
}

}  // namespace tailrace
