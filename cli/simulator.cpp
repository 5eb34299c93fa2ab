#include "cli/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/thread_name.h"

namespace tailrace {
namespace {

using namespace std::chrono_literals;

constexpr size_t most_waiting = 20'000;
constexpr auto shortest_turn = 5ms;  // so that thousands of lines a second are one write each turn

}  // namespace

Simulator::Simulator(Options options, std::unique_ptr<Outlet> outlet)
    : options_(std::move(options)), outlet_(std::move(outlet)), model_(options_.model) {}

Simulator::~Simulator() {
  stop();
}

void Simulator::start() {
  thread_ = std::thread([this] { run(); });
}

void Simulator::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Simulator::finished() const {
  std::lock_guard lock(mutex_);
  return finished_;
}

bool Simulator::wait_finished(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, most, [this] { return finished_; });
}

bool Simulator::wait_caught_up(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [this] { return caught_up_ || finished_; });
  return caught_up_;
}

Simulator::Counts Simulator::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

Exit Simulator::fate() const {
  std::lock_guard lock(mutex_);
  return fate_;
}

void Simulator::run() {
  name_this_thread("simulator");
  const Mono start = mono_now() - std::chrono::microseconds(options_.began_ago);
  wall_start_ = wall_now() - options_.began_ago;
  next_ = model_.next();
  const Micros end =
      options_.duration ? std::chrono::microseconds(*options_.duration).count() : Micros(1) << 60;
  std::optional<Mono> last_turn;  // set: no new lines, only what waits
  for (;;) {
    const Micros now = options_.paced
                           ? std::chrono::duration_cast<std::chrono::microseconds>(mono_now() - start).count()
                           : end;
    if (!last_turn) make_due_lines(std::min(now, end));
    const uint64_t settled = outlet_->counts().sent + outlet_->counts().failed;
    outlet_->send(pending_);
    const bool idle = pending_.empty() && outlet_->held() == 0;
    const bool stuck = !idle && settled == outlet_->counts().sent + outlet_->counts().failed;
    publish();
    if (idle && next_->at >= options_.began_ago) tell_caught_up();

    if (!last_turn && next_->at >= end) last_turn = mono_now() + (options_.paced ? 1s : 10s);
    if (outlet_->ended() || (last_turn && (idle || mono_now() >= *last_turn))) break;
    std::unique_lock lock(mutex_);
    const Mono due = options_.paced && !last_turn ? start + std::chrono::microseconds(next_->at) : mono_now();
    const Mono until = idle ? std::max(due, mono_now() + (options_.paced ? shortest_turn : 0ms))
                            : mono_now() + (stuck ? 20ms : 0ms);
    changed_.wait_until(lock, until, [this] { return stopping_; });
    if (stopping_ && !last_turn) last_turn = mono_now() + 1s;
  }
  failed_ += pending_.size() + outlet_->held();
  pending_.clear();
  publish();
  std::lock_guard lock(mutex_);
  finished_ = true;
  fate_ = outlet_->fate();
  changed_.notify_all();
}

void Simulator::make_due_lines(Micros now) {
  // Unpaced, and in the past, the queue is what holds the model back; else nothing does, as in life.
  const auto held_back = [this] { return !options_.paced || next_->at < options_.began_ago; };
  while (next_->at < now && (!held_back() || pending_.size() < 2000)) {
    ++lines_;
    if (options_.numbered)
      next_->message += fmt::format(" seq={:04}-{:010}", *options_.numbered, numbered_++);
    if (pending_.size() < most_waiting) {
      const std::string& name = next_->platform ? options_.platform_name : options_.app_name;
      pending_.push_back({rendered(*next_, wall_start_, name), next_->platform});
    } else {
      ++failed_;
    }
    next_ = model_.next();
  }
}

void Simulator::tell_caught_up() {
  std::lock_guard lock(mutex_);
  if (std::exchange(caught_up_, true)) return;
  changed_.notify_all();
}

void Simulator::publish() {
  const Outlet::Counts& out = outlet_->counts();
  std::lock_guard lock(mutex_);
  counts_ = {model_.requests(), lines_,         out.sent,          out.failed + failed_,
             out.bytes,         out.reconnects, outlet_->trouble()};
}

}  // namespace tailrace
