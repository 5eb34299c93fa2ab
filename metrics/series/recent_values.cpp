#include "metrics/series/recent_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/window.h"

namespace tailrace {
namespace {

constexpr Micros kStep = Window::kStep;
constexpr int64_t kSteps = Window::kSteps;
// A value that arrived so many steps before the newest was not late: the clock was set back.
constexpr int64_t kClockSetBack = 150;

int64_t step_of(Micros t) {
  return (t >= 0 ? t : t - kStep + 1) / kStep;
}

}  // namespace

void SignedSketch::insert(double value) {
  if (!(value < 0)) return upper_.insert(value);
  if (!lower_) lower_ = std::make_unique<Sketch>();
  lower_->insert(-value);
}

void SignedSketch::merge(const SignedSketch& other) {
  upper_.merge(other.upper_);
  if (!other.lower_) return;
  if (!lower_) lower_ = std::make_unique<Sketch>();
  lower_->merge(*other.lower_);
}

double SignedSketch::quantile(double q) const {
  if (!lower_) return upper_.quantile(q);
  const auto below = static_cast<double>(lower_->count()), above = static_cast<double>(upper_.count());
  // The same rank as Sketch::quantile has it, then the part that holds it.
  const double rank = std::clamp(std::ceil(q * (below + above) - 1e-6), 1.0, below + above);
  if (rank <= below) return -lower_->quantile((below - rank + 1) / below);
  return upper_.quantile((rank - below) / above);
}

void SignedSketch::clear() {
  upper_.clear();
  lower_.reset();
}

void RecentValues::add(double value, Micros arrival) {
  const int64_t number = step_of(arrival);
  if (newest_ - number >= kClockSetBack) *this = RecentValues();
  if (number <= newest_ - kSteps) return;
  newest_ = std::max(newest_, number);
  if (steps_.empty()) {
    if (few_.size() == kFew)
      std::erase_if(few_, [this](const Value& v) { return v.step <= newest_ - kSteps; });
    if (few_.size() < kFew) {
      if (few_.size() == few_.capacity()) few_.reserve(std::min(kFew, few_.size() * 2 + 2));
      few_.push_back({value, number});
      return;
    }
    for (const Value& v : few_) step(v.step).insert(v.value);
    few_ = std::vector<Value>();
  }
  step(number).insert(value);
}

SignedSketch& RecentValues::step(int64_t number) {
  if (current_ < steps_.size() && steps_[current_].number == number) return steps_[current_].sketch;
  size_t over = steps_.size();
  for (current_ = 0; current_ < steps_.size(); ++current_) {
    if (steps_[current_].number == number) return steps_[current_].sketch;
    if (steps_[current_].number <= newest_ - kSteps) over = current_;
  }
  current_ = over;
  if (over == steps_.size()) {
    steps_.push_back({number, {}});
  } else {
    steps_[over].number = number;
    steps_[over].sketch.clear();
  }
  return steps_[over].sketch;
}

void RecentValues::merge_into(SignedSketch& into, Micros now) const {
  const int64_t past = step_of(now) - kSteps;
  for (const Value& v : few_)
    if (v.step > past) into.insert(v.value);
  for (const Step& s : steps_)
    if (s.number > past) into.merge(s.sketch);
}

void RecentValues::expire(Micros now) {
  const int64_t past = step_of(now) - kSteps;
  if (newest_ <= past) {
    few_ = std::vector<Value>();
    steps_ = std::vector<Step>();
  }
  for (Step& s : steps_)
    if (s.number <= past) s.sketch = SignedSketch();
}

size_t RecentValues::memory() const {
  size_t bytes = few_.capacity() * sizeof(Value) + steps_.capacity() * sizeof(Step);
  for (const Step& s : steps_) bytes += s.sketch.memory();
  return bytes;
}

}  // namespace tailrace
