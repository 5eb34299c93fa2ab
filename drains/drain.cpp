#include "drains/drain.h"

#include "base/time_text.h"
#include "drains/target.h"

namespace tailrace {
namespace {

constexpr auto kBetweenLosses = std::chrono::seconds(1);

}  // namespace

Drain::Drain(Loop& loop, const DrainEntry& entry)
    : loop_(loop),
      entry_(entry),
      cursor_(Cursor::Kind::drain, loop.pass, *this, entry.id),
      over_time_(std::make_shared<DrainOverTime>(entry.start.counts, wall_now())),
      health_(entry.token, wall_now()),
      loss_timer_(loop.io) {
  publish();
}

uint64_t Drain::take_over(Drain& before, const Progress& from, RecordFilterPtr wanted) {
  cursor_.set_wanted(std::move(wanted));
  const uint64_t again = cursor_.take_over(before.cursor_, from);
  if (!again) return 0;
  before.give_back_losses();
  history_ = before.history_;
  over_time_ = before.over_time_;
  health_ = before.health_;
  own_loss_ = before.own_loss_;
  next_loss_ = before.next_loss_;
  held_ = before.held_;
  status_ = before.status();
  return again;
}

void Drain::succeed(Drain& before, RecordFilterPtr wanted) {
  cursor_.set_wanted(std::move(wanted));
  cursor_.succeed(before.cursor_);
  over_time_ = before.over_time_;
  before.give_back_losses();
  own_loss_ = before.own_loss_;
  next_loss_ = before.next_loss_;
}

void Drain::stop() {
  if (std::exchange(stopped_, true)) return;
  cursor_.detach();
  loop_.pass.forget(*this);
  loss_timer_.cancel();
  shut();
}

void Drain::hold(Micros since, bool tell) {
  if (stopped_ || std::exchange(held_, true)) return;
  turn();
  cursor_.set_waiting(true);
  const auto line = health_.held(wall_now(), since, dropped());
  if (tell) say(line);
  set_next_try(0);
  publish();
  note();
}

void Drain::resume() {
  if (stopped_) return;
  if (std::exchange(held_, false)) cursor_.set_waiting(false);
  say(health_.resumed(wall_now(), cursor_.lag().records));
  set_next_try(0);
  publish();
  note();
  turn();
}

void Drain::hurry() {
  if (stopped_) return;
  next_loss_ = {};
  tell_losses();
}

void Drain::tell_losses() {
  tell_recovery();
  const Mono now = mono_now();
  if (now < next_loss_) {
    // The cursor keeps counting meanwhile, and wakes nobody until it is asked.
    if (std::exchange(loss_timer_set_, true)) return;
    loss_timer_.expires_at(next_loss_);
    loss_timer_.async_wait([self = shared_from_this()](error_code ec) {
      if (ec || self->stopped_) return;
      self->loss_timer_set_ = false;
      self->run_task();
    });
    return;
  }
  const Loss loss = cursor_.take_loss();
  if (!loss.records) return;
  next_loss_ = now + kBetweenLosses;
  note();
  history_->lost({loss.first, loss.records, loss.since, wall_now(), loss.reason});
  give_back_own_loss(loss);
  std::string reason(to_string(loss.reason));
  if (!health_.cause().empty()) reason += "; " + health_.cause();
  entry_.channel->log->add_notice(
      notice_line(wall_now(), "Error L10 (output buffer overflow): drain '" + entry_.token + "' dropped " +
                                  std::to_string(loss.records) + " messages since " +
                                  rfc3339_micros(loss.since) + " (" + reason + ")."));
}

void Drain::give_back_own_loss(const Loss& loss) {
  own_loss_.add(loss);
}

void Drain::delivered(uint64_t records, Micros oldest_left, uint64_t filtered) {
  const bool changes = !held_ && health_.state() != DrainState::ok;
  if (changes || over_time_->turned(wall_now())) note();
  // What was on its way when its owner paused it says nothing of its health.
  if (held_) return cursor_.settle(records, filtered, oldest_left);
  if (changes) health_.delivered(wall_now(), before_doubt_ ? *before_doubt_ : cursor_.ledger());
  before_doubt_.reset();
  cursor_.settle(records, filtered, oldest_left);
  tell_recovery();
  if (changes) publish();
}

void Drain::delivered_in_doubt(uint64_t records, Micros oldest_left, uint64_t filtered) {
  if (health_.state() == DrainState::ok) return delivered(records, oldest_left, filtered);
  if (!before_doubt_) before_doubt_ = cursor_.ledger();
  cursor_.settle(records, filtered, oldest_left);
}

void Drain::filtered(uint64_t records, Micros oldest_left) {
  cursor_.settle(0, records, oldest_left);
  tell_recovery();
}

void Drain::tell_recovery() {
  if (health_.recovering()) say(health_.settled(wall_now(), cursor_.ledger()));
}

void Drain::failed(const NetFailure& why, Micros since) {
  before_doubt_.reset();
  const Micros now = wall_now();
  const bool begins = health_.state() == DrainState::ok || health_.state() == DrainState::pending;
  say(health_.failed(now, since, why.text, dropped()));
  if (why.code == NetErrc::certificate) {
    const auto notice = certificates_.failed(why, shown_drain_url(entry_.url), begins, now);
    if (notice) history_->certificate_told();
    say(notice);
  }
  publish(why.text);
  note();
}

void Drain::paused(const std::string& cause) {
  say(health_.paused(wall_now(), cause, dropped()));
  publish(cause);
  note();
}

void Drain::refused(const Slice& record, const std::string& cause, Micros oldest_left) {
  cursor_.drop(DropReason::refused, 1, oldest_left);
  tell_losses();
  history_->refused(record.first, wall_now(), cause, (*record.begin()).text());
}

void Drain::say(const std::optional<std::string>& line) {
  if (line) entry_.channel->log->add_notice(*line);
}

void Drain::publish(const std::string& error) {
  const std::lock_guard lock(status_mutex_);
  status_.state = health_.state();
  status_.since = health_.since();
  status_.cause = health_.cause();
  if (!error.empty()) status_.last_error = error;
  if (status_.state == DrainState::ok) status_.next_try = 0;
}

void Drain::answered(std::chrono::microseconds took, Mono now) {
  if (over_time_->turned(wall_now())) note();
  over_time_->answered(took);
  history_->answered(took, now);
}

/// Its loop: whatever changes now belongs to this moment.
void Drain::note() {
  if (cursor_.attached()) look(wall_now());
}

void Drain::told(uint64_t records) {
  const std::lock_guard lock(status_mutex_);
  status_.told += records;
}

void Drain::set_last_status(int status) {
  const std::lock_guard lock(status_mutex_);
  status_.last_status = status;
}

void Drain::set_next_try(Micros at) {
  const std::lock_guard lock(status_mutex_);
  status_.next_try = at;
}

DrainState Drain::state() const {
  const std::lock_guard lock(status_mutex_);
  return status_.state;
}

DrainStatus Drain::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

}  // namespace tailrace
