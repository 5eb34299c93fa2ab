#include "metrics/router_counts.h"

namespace tailrace {
uint32_t RouterCounts::add(const RouterBatch& batch) {
  for (size_t i = 0; i < batch.size; ++i)
    if (const uint16_t status = batch.lines[i].status)
      requests.add(status - 100u);
    else
      ++without_status;
  const auto count = [&](Timing timing, const ValueColumn& column) {
    return timings[static_cast<size_t>(timing)].add(column.values(), column.buckets());
  };
  count(Timing::connect, batch.connect);
  count(Timing::wait, batch.wait);
  queue.add(batch.queue.values(), batch.queue.buckets());
  for (const double size : batch.bytes.values()) bytes += size;
  with_bytes += batch.bytes.size();
  return count(Timing::service, batch.service);
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

void RouterShare::add(const RouterBatch& batch) {
  const uint32_t touched = counts_.add(batch);
  if (const uint32_t due = exemplars_.due_of(touched, batch.arrival)) take_exemplars(due, batch);
  uint64_t failed = 0;
  for (size_t i = 0; i < batch.size; ++i) {
    const RouterBatch::Line& line = batch.lines[i];
    failed += line.status == 0 || line.status >= 500;
    queueing_.add_dyno(batch.arrival, line.dyno);
  }
  queueing_.add_requests(batch.arrival, batch.size, failed, batch.queue.values());
  TimingSketches* recent = window_.at(batch.arrival);
  if (!recent) return;
  const auto insert = [&](Timing timing, const ValueColumn& column) {
    (*recent)[static_cast<size_t>(timing)].insert(column.values(), column.buckets());
  };
  insert(Timing::service, batch.service);
  insert(Timing::connect, batch.connect);
  insert(Timing::wait, batch.wait);
}

void RouterShare::take_exemplars(uint32_t buckets, const RouterBatch& batch) {
  const ValueColumn& service = batch.service;
  for (size_t i = service.size(); i-- > 0 && buckets != 0;) {
    const size_t bucket = SecondsHistogram::bucket_of(service.values()[i], service.buckets()[i]);
    if ((buckets >> bucket & 1) == 0) continue;
    buckets &= ~(uint32_t{1} << bucket);
    const RouterBatch::Line& line = batch.lines[service.line(i)];
    exemplars_.take(bucket, router_value(line.message, kExemplarLabel), service.values()[i], line.at.time);
  }
}

void RouterShare::merge_into(RouterTotal& into, Micros now) {
  into.counts.merge(counts_);
  window_.expire(now);
  window_.merge_into(into.recent, now);
  queueing_.merge_into(into.queueing, now);
  into.exemplars.merge(exemplars_);
}

void RouterShare::merge_recent(RouterRecent& into, Micros now) {
  window_.expire(now);
  window_.merge_into(into.service, Timing::service, now);
  queueing_.merge_requests(into.requests, now);
}

void add_to_window(OpenWindow& window, const RouterBatch& batch) {
  std::array<uint32_t, 6> lines{};  // by status class; 0: none
  std::array<Stamp, 6> last;
  for (size_t i = 0; i < batch.size; ++i) {
    const RouterBatch::Line& line = batch.lines[i];
    const size_t status = line.status / 100u;
    ++lines[status];
    if (line.at > last[status]) last[status] = line.at;
  }
  for (SeriesId status = 0; status < lines.size(); ++status)
    if (lines[status]) window.count(series_status_none + status, last[status], lines[status]);
  const auto add = [&](SeriesId series, const ValueColumn& column) {
    if (!column.empty())
      window.values(series).add(column.values(), column.buckets(), column.last(), column.last_at());
  };
  add(series_service, batch.service);
  add(series_connect, batch.connect);
  add(series_wait, batch.wait);
  add(series_queue, batch.queue);
  add(series_bytes, batch.bytes);
}

}  // namespace tailrace
