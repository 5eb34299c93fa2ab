#include "drains/over_time.h"

#include <algorithm>

namespace tailrace {
namespace {

constexpr Micros kMinute = DrainPast::kMinute, kTen = DrainPast::kTen;

Micros begin_of(Micros time, Micros step) {
  return time - time % step;
}

DrainPoint copy_of(const DrainPoint& point) {
  DrainPoint copy;
  copy.time = point.time;
  copy.merge(point);
  return copy;
}

/// Merged by the ten minutes that they lie in.
std::vector<DrainPoint> in_tens(const std::vector<DrainPoint>& minutes) {
  std::vector<DrainPoint> tens;
  for (const DrainPoint& minute : minutes) {
    const Micros begin = begin_of(minute.time, kTen);
    if (tens.empty() || tens.back().time != begin) tens.emplace_back().time = begin;
    tens.back().merge(minute);
  }
  return tens;
}

}  // namespace

DrainOverTime::DrainOverTime(const Ledger& account, Micros now)
    : minute_ends_(begin_of(now, kMinute) + kMinute),
      seen_(account),
      seen_at_(now),
      whole_from_tens_(now),
      whole_from_minutes_(now) {
  open_.time = begin_of(now, kMinute);
  open_.state = state_;
}

void DrainOverTime::look(const Cursor& cursor, DrainState state, Micros now) {
  const std::lock_guard lock(mutex_);
  see(cursor.ledger(), cursor.lag().oldest, state, now);
}

void DrainOverTime::look(const Ledger& ledger, Micros oldest, DrainState state, Micros now) {
  const std::lock_guard lock(mutex_);
  see(ledger, oldest, state, now);
}

void DrainOverTime::answered(std::chrono::microseconds took) {
  const std::lock_guard lock(mutex_);
  open_.took.insert(took);
}

DrainPast DrainOverTime::past(const Cursor& cursor, DrainState state, Micros now) {
  const std::lock_guard lock(mutex_);
  see(cursor.ledger(), cursor.lag().oldest, state, now);
  return past_now();
}

DrainPast DrainOverTime::past(const Ledger& ledger, Micros oldest, DrainState state, Micros now) {
  const std::lock_guard lock(mutex_);
  see(ledger, oldest, state, now);
  return past_now();
}

DrainPast DrainOverTime::past_now() const {
  DrainPast past{tens_.all(), minutes_.all(), whole_from_tens_, whole_from_minutes_, seen_};
  if (changed_ || open_.buffered || !open_.quiet()) past.minutes.push_back(copy_of(open_));
  return past;
}

void DrainOverTime::see(const Ledger& ledger, Micros oldest, DrainState state, Micros now) {
  if (now < open_.time - kTen) set_back(now);
  now = std::max(now, open_.time);
  go_to(seen_at_ + (now - seen_at_) / 2);
  open_.add(seen_, ledger);
  seen_ = ledger;
  seen_at_ = now;
  go_to(now);
  changed_ |= state != state_;
  state_ = state;
  open_.state = worse(open_.state, state);
  open_.buffered = std::max(open_.buffered, ledger.buffered);
  if (oldest) open_.lag = std::max(open_.lag, now - oldest);
  age(now);
}

/// Never back.
void DrainOverTime::go_to(Micros time) {
  const Micros minute = begin_of(time, kMinute);
  if (minute <= open_.time) return;
  close();
  open_ = {};
  open_.time = minute;
  open_.state = state_;
  minute_ends_ = minute + kMinute;
}

void DrainOverTime::close() {
  if (std::exchange(changed_, false) || open_.buffered || !open_.quiet()) minutes_.add(open_);
}

void DrainOverTime::age(Micros now) {
  const Micros minutes_from = begin_of(now - kMinutesFor, kTen), tens_from = begin_of(now - kTensFor, kTen);
  if (!minutes_.empty() && minutes_.first() < minutes_from)
    for (const DrainPoint& ten : in_tens(minutes_.take_before(minutes_from))) {
      whole_from_minutes_ = std::max(whole_from_minutes_, ten.time + kTen);
      tens_.add(ten);
    }
  if (!tens_.empty() && tens_.first() < tens_from)
    whole_from_tens_ = std::max(whole_from_tens_, tens_.take_before(tens_from).back().time + kTen);
}

void DrainOverTime::set_back(Micros now) {
  const std::vector<DrainPoint> tens = tens_.all(), minutes = minutes_.all();
  DrainPoint ahead = std::move(open_);
  open_ = {};
  open_.time = begin_of(now, kMinute);
  tens_.clear();
  minutes_.clear();
  for (const DrainPoint& ten : tens) ten.time + kTen <= open_.time ? tens_.add(ten) : open_.merge(ten);
  for (const DrainPoint& minute : minutes)
    minute.time < open_.time ? minutes_.add(minute) : open_.merge(minute);
  open_.merge(ahead);
  seen_at_ = now;
  minute_ends_ = open_.time + kMinute;
  whole_from_tens_ = std::min(whole_from_tens_, now);
  whole_from_minutes_ = std::min(whole_from_minutes_, now);
}

void DrainOverTime::hold_bound(uint64_t most) {
  const std::lock_guard lock(mutex_);
  while (tens_.bytes() + minutes_.bytes() > most) {
    const Micros end = tens_.empty() ? minutes_.drop_first() : tens_.drop_first();
    whole_from_tens_ = std::max(whole_from_tens_, end);
    whole_from_minutes_ = std::max(whole_from_minutes_, end);
  }
}

size_t DrainOverTime::bytes() const {
  const std::lock_guard lock(mutex_);
  return tens_.bytes() + minutes_.bytes();
}

}  // namespace tailrace
