#include "metrics/channel_counts.h"

namespace tailrace {
namespace {

double timing_of(const RouterLine& line, size_t timing) {
  switch (static_cast<Timing>(timing)) {
    case Timing::service:
      return line.service;
    case Timing::connect:
      return line.connect;
    case Timing::wait:
      return line.wait;
  }
  return kAbsent;
}

}  // namespace

void RouterCounts::add(const RouterLine& line) {
  if (line.status)
    requests.add(line.status - 100u);
  else
    ++without_status;
  if (is_router_code(line.code)) errors.add(static_cast<size_t>(line.code));
  for (size_t i = 0; i < kTimings; ++i)
    if (const double seconds = timing_of(line, i); seconds != kAbsent) timings[i].add(seconds);
  if (line.queue != kAbsent) queue.add(line.queue);
  if (line.bytes != kAbsent) {
    bytes += line.bytes;
    ++with_bytes;
  }
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

void ChannelCounts::add(const Record& record) {
  ++records_;
  bytes_ += record.text().size();
  // Only the platform's own records mean anything here, and of a split one only its beginning.
  if (record.app() != "heroku" || (record.header().flags & kSplitEntry)) return;
  if (record.procid() == "router") return add_router_line(record);
  if (const int code = leading_code(record.message()); code != kNoCode)
    platform_errors_.add(static_cast<size_t>(code));
}

void ChannelCounts::add_router_line(const Record& record) {
  const RouterLine line = scan_router_line(record.message());
  if (!router_) router_ = std::make_unique<Router>();
  router_->counts.add(line);
  if (line.code != kNoCode && !is_router_code(line.code))
    platform_errors_.add(static_cast<size_t>(line.code));
  TimingSketches* recent = router_->window.at(record.arrival());
  if (!recent) return;
  for (size_t i = 0; i < kTimings; ++i)
    if (const double seconds = timing_of(line, i); seconds != kAbsent) (*recent)[i].insert(seconds);
}

void ChannelCounts::merge_into(ChannelSnapshot& into, TimingSketches& recent, Micros now) {
  into.records += records_;
  into.bytes += bytes_;
  into.platform_errors.merge(platform_errors_);
  if (!router_) return;
  into.router.merge(router_->counts);
  router_->window.expire(now);
  router_->window.merge_into(recent, now);
}

}  // namespace tailrace
