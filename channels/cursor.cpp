#include "channels/cursor.h"

#include "channels/log.h"

namespace tailrace {

uint64_t Cursor::attach(Log& log, const Place& place) {
  log_ = &log;  // first: once the log knows it, its task may be woken
  return log.attach(state_, place);
}

uint64_t Cursor::take_over(Cursor& before, const Progress& from) {
  if (!before.log_) return 0;
  const uint64_t again = before.log_->take_over(state_, before.state_, from);
  if (again) log_ = std::exchange(before.log_, nullptr);
  return again;
}

void Cursor::keep_place(const Cursor& of) {
  if (!of.log_) return;
  log_ = of.log_;
  log_->keep_place(state_, of.state_);
}

void Cursor::set_trail(uint64_t records) {
  log_->set_trail(state_, records);
}

void Cursor::succeed(Cursor& before) {
  if (!before.log_) return;
  log_ = std::exchange(before.log_, nullptr);
  log_->succeed(state_, before.state_);
}

void Cursor::detach() {
  if (!log_) return;
  log_->detach(state_);
  log_ = nullptr;
}

Read Cursor::read(uint32_t max_bytes) {
  return log_->read(state_, max_bytes);
}
bool Cursor::park() {
  return log_->park(state_);
}
void Cursor::settle(uint64_t delivered, uint64_t filtered, Micros oldest_left) {
  log_->settle(state_, delivered, filtered, oldest_left);
}
void Cursor::drop(DropReason reason, uint64_t records, Micros oldest_left) {
  log_->drop(state_, reason, records, oldest_left);
}
Loss Cursor::take_loss() {
  return log_->take_loss(state_);
}
void Cursor::set_waiting(bool outside) {
  log_->set_waiting(state_, outside);
}
Ledger Cursor::ledger() const {
  return log_->ledger(state_);
}
Lag Cursor::lag() const {
  return log_->lag(state_);
}

}  // namespace tailrace
