#include "drains/history.h"

#include <algorithm>

namespace tailrace {
namespace {

constexpr Micros kJoins = 60'000'000;  // losses a minute apart are one trouble

template <class T>
void keep(std::deque<T>& list, T item) {
  if (list.size() == DrainHistory::kKept) list.pop_front();
  list.push_back(std::move(item));
}

}  // namespace

void DrainHistory::turn(Mono now) const {
  if (now < window_ends_) return;
  const bool stale = now >= window_ends_ + kWindow;
  std::swap(now_, before_);
  now_.release();
  if (stale) before_.release();
  window_ends_ = now + kWindow;
}

void DrainHistory::answered(std::chrono::microseconds took, Mono now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  const double seconds = double(took.count()) / 1e6;
  now_.insert(seconds);
  ++all_answers_;
  all_seconds_ += seconds;
}

void DrainHistory::lost(const LostRange& range) {
  const std::lock_guard lock(mutex_);
  if (!losses_.empty()) {
    LostRange& last = losses_.back();
    if (last.reason == range.reason && range.since - last.until <= kJoins) {
      last.records += range.records;
      last.until = std::max(last.until, range.until);
      return;
    }
  }
  keep(losses_, range);
}

void DrainHistory::refused(Position number, Micros at, const std::string& cause, std::string_view text) {
  const std::lock_guard lock(mutex_);
  keep(dead_letters_, {number, at, cause, std::string(text.substr(0, kLetterBytes)), text.size()});
}

AnswerTimes DrainHistory::answer_times(Mono now) const {
  const std::lock_guard lock(mutex_);
  turn(now);
  Sketch all;
  all.merge(before_);
  all.merge(now_);
  return {all.count(), all.quantile(0.5), all.quantile(0.99), all_answers_, all_seconds_};
}

void DrainHistory::certificate_told() {
  const std::lock_guard lock(mutex_);
  ++certificate_notices_;
}

uint64_t DrainHistory::certificate_notices() const {
  const std::lock_guard lock(mutex_);
  return certificate_notices_;
}

std::vector<LostRange> DrainHistory::losses() const {
  const std::lock_guard lock(mutex_);
  return {losses_.begin(), losses_.end()};
}

std::vector<DeadLetter> DrainHistory::dead_letters() const {
  const std::lock_guard lock(mutex_);
  return {dead_letters_.begin(), dead_letters_.end()};
}

}  // namespace tailrace
