#include "metrics/router_counts.h"

namespace tailrace {
size_t RouterCounts::add(const RouterLine& line) {
  if (line.status)
    requests.add(line.status - 100u);
  else
    ++without_status;
  if (is_router_code(line.code)) errors.add(static_cast<size_t>(line.code));
  size_t bucket = kNoBucket;
  if (line.service != kAbsent) bucket = timings[static_cast<size_t>(Timing::service)].add(line.service);
  if (line.connect != kAbsent) timings[static_cast<size_t>(Timing::connect)].add(line.connect);
  if (line.wait != kAbsent) timings[static_cast<size_t>(Timing::wait)].add(line.wait);
  if (line.queue != kAbsent) queue.add(line.queue);
  if (line.bytes != kAbsent) {
    bytes += line.bytes;
    ++with_bytes;
  }
  return bucket;
}

void RouterCounts::merge(const RouterCounts& other) {
  requests.merge(other.requests);
  without_status += other.without_status;
  errors.merge(other.errors);
  for (size_t i = 0; i < kTimings; ++i) timings[i].merge(other.timings[i]);
  queue.merge(other.queue);
  bytes += other.bytes;
  with_bytes += other.with_bytes;
}

void RouterShare::add(const RouterLine& line, std::string_view message, Micros time, Micros arrival) {
  const size_t bucket = counts_.add(line);
  if (bucket != RouterCounts::kNoBucket && exemplars_.due(bucket, arrival))
    exemplars_.take(bucket, router_value(message, kExemplarLabel), line.service, time);
  queueing_.add_request(arrival, line.dyno, line.queue);
  TimingSketches* recent = window_.at(arrival);
  if (!recent) return;
  const auto insert = [&](Timing timing, double seconds) {
    if (seconds != kAbsent) (*recent)[static_cast<size_t>(timing)].insert(seconds);
  };
  insert(Timing::service, line.service);
  insert(Timing::connect, line.connect);
  insert(Timing::wait, line.wait);
}

void RouterShare::merge_into(RouterTotal& into, Micros now) {
  into.counts.merge(counts_);
  window_.expire(now);
  window_.merge_into(into.recent, now);
  queueing_.merge_into(into.queueing, now);
  into.exemplars.merge(exemplars_);
}

void add_to_window(OpenWindow& window, const RouterLine& line, Stamp at) {
  const SeriesId status = line.status / 100u;  // 0: none
  window.count(series_status_none + status, at);
  if (is_router_code(line.code)) window.count(series_error + static_cast<SeriesId>(line.code), at);
  if (line.service != kAbsent) window.add(series_service, line.service, at);
  if (line.connect != kAbsent) window.add(series_connect, line.connect, at);
  if (line.wait != kAbsent) window.add(series_wait, line.wait, at);
  if (line.queue != kAbsent) window.add(series_queue, line.queue, at);
  if (line.bytes != kAbsent) window.add(series_bytes, line.bytes, at);
}

}  // namespace tailrace
