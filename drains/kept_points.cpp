#include "drains/kept_points.h"

#include <utility>

#include "base/varint.h"

namespace tailrace {
namespace {

constexpr Micros kMilli = 1000;
constexpr Micros kNearly = 2'000'000;  // looks are not in time to the second

// What a point has beside its time, each a bit of its first byte; the state is in the lowest two.
enum Has : uint8_t {
  kDelivered = 4,
  kFiltered = 8,
  kDropped = 16,
  kWaits = 32,
  kAnswers = 64,
  kMoreSteps = 128,
};

uint64_t taken(std::string_view& text) {
  uint64_t value = 0;
  return take_varint(text, value) ? value : 0;
}

}  // namespace

void KeptPoints::put(std::string& out, const DrainPoint& point, uint64_t steps, Micros before) const {
  const bool drops = point.dropped != Drops{}, waits = point.buffered || point.lag;
  uint8_t has = uint8_t(point.state);
  if (point.delivered) has |= kDelivered;
  if (point.filtered) has |= kFiltered;
  if (drops) has |= kDropped;
  if (waits) has |= kWaits;
  if (point.took.answers()) has |= kAnswers;
  if (steps > 1) has |= kMoreSteps;
  out += char(has);
  put_varint(out, uint64_t((point.time - before) / step_));
  if (steps > 1) put_varint(out, steps);
  if (point.delivered) put_varint(out, point.delivered);
  if (point.filtered) put_varint(out, point.filtered);
  if (drops) {
    uint64_t reasons = 0;
    for (size_t reason = 0; reason < point.dropped.size(); ++reason)
      if (point.dropped[reason]) reasons |= uint64_t{1} << reason;
    put_varint(out, reasons);
    for (const uint64_t records : point.dropped)
      if (records) put_varint(out, records);
  }
  if (waits) {
    put_varint(out, point.buffered);
    put_varint(out, uint64_t(point.lag / kMilli));
  }
  if (point.took.answers()) point.took.encode(out);
}

KeptPoints::Run KeptPoints::take(std::string_view& text, Micros& before) const {
  Run run;
  const auto has = uint8_t(text.front());
  text.remove_prefix(1);
  run.point.state = DrainState(has & 3);
  run.point.time = before + Micros(taken(text)) * step_;
  if (has & kMoreSteps) run.steps = taken(text);
  if (has & kDelivered) run.point.delivered = taken(text);
  if (has & kFiltered) run.point.filtered = taken(text);
  if (has & kDropped) {
    const uint64_t reasons = taken(text);
    for (size_t reason = 0; reason < run.point.dropped.size(); ++reason)
      if (reasons >> reason & 1) run.point.dropped[reason] = taken(text);
  }
  if (has & kWaits) {
    run.point.buffered = taken(text);
    run.point.lag = Micros(taken(text)) * kMilli;
  }
  if (has & kAnswers) (void)run.point.took.decode(text);  // our own bytes
  before = run.point.time + Micros(run.steps - 1) * step_;
  return run;
}

bool KeptPoints::joins(const DrainPoint& point) const {
  if (!last_steps_ || !point.quiet() || point.time != last_ + step_ || point.state != last_state_ ||
      point.buffered != last_buffered_)
    return false;
  const Micros expected = last_lag_ + Micros(last_steps_) * step_;
  return point.lag >= expected - kNearly && point.lag <= expected + kNearly;
}

void KeptPoints::add(const DrainPoint& point) {
  if (joins(point)) {
    DrainPoint first;
    first.state = last_state_;
    first.buffered = last_buffered_;
    first.lag = last_lag_;
    // How far it lies behind the run before it stays as it is.
    std::string_view old = std::string_view(bytes_).substr(last_at_);
    Micros from_there = 0;
    first.time = take(old, from_there).point.time;
    bytes_.resize(last_at_);
    put(bytes_, first, ++last_steps_, 0);
    last_ = point.time;
    return;
  }
  const size_t at = bytes_.size();
  put(bytes_, point, 1, bytes_.empty() ? before_ : last_);
  last_ = point.time;
  last_steps_ = point.quiet() && point.buffered ? 1 : 0;
  last_at_ = at;
  last_state_ = point.state;
  last_buffered_ = point.buffered;
  last_lag_ = point.lag;
}

void KeptPoints::spread(Run run, std::vector<DrainPoint>& out) const {
  const DrainPoint first{
      .time = run.point.time, .state = run.point.state, .buffered = run.point.buffered, .lag = run.point.lag};
  out.push_back(std::move(run.point));
  for (uint64_t step = 1; step < run.steps; ++step)
    out.push_back({.time = first.time + Micros(step) * step_,
                   .state = first.state,
                   .buffered = first.buffered,
                   .lag = first.lag + Micros(step) * step_});
}

std::vector<DrainPoint> KeptPoints::all() const {
  std::vector<DrainPoint> points;
  Micros before = before_;
  for (std::string_view text = bytes_; !text.empty();) spread(take(text, before), points);
  return points;
}

Micros KeptPoints::first() const {
  std::string_view text = std::string_view(bytes_).substr(1);
  return before_ + Micros(taken(text)) * step_;
}

KeptPoints::Run KeptPoints::take_first() {
  std::string_view text = bytes_;
  Run run = take(text, before_);
  const size_t taken = bytes_.size() - text.size();
  bytes_.erase(0, taken);
  if (bytes_.empty())
    last_steps_ = 0;
  else
    last_at_ -= taken;
  return run;
}

std::vector<DrainPoint> KeptPoints::take_before(Micros time) {
  std::vector<DrainPoint> points;
  while (!empty() && first() < time) {
    const bool was_last = last_steps_ && last_at_ == 0;
    Run run = take_first();
    const auto wanted = uint64_t((time - run.point.time + step_ - 1) / step_);
    if (wanted < run.steps) {
      Run rest{{.time = run.point.time + Micros(wanted) * step_,
                .state = run.point.state,
                .buffered = run.point.buffered,
                .lag = run.point.lag + Micros(wanted) * step_},
               run.steps - wanted};
      before_ = rest.point.time - step_;
      std::string front;
      put(front, rest.point, rest.steps, before_);
      if (was_last) {
        last_steps_ = rest.steps;
        last_lag_ = rest.point.lag;
        last_at_ = 0;
      } else {
        last_at_ += front.size();
      }
      bytes_.insert(0, front);
      run.steps = wanted;
    }
    spread(std::move(run), points);
  }
  return points;
}

Micros KeptPoints::drop_first() {
  const Run run = take_first();
  return run.point.time + Micros(run.steps) * step_;
}

void KeptPoints::clear() {
  bytes_.clear();
  before_ = 0;
  last_steps_ = 0;
}

}  // namespace tailrace
