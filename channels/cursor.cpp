#include "channels/cursor.h"

#include "channels/log.h"

namespace tailrace {

void Cursor::attach(Log& log) {
  log_ = &log;  // first: once the log knows it, its task may be woken
  log.attach(*this);
}

void Cursor::detach() {
  if (!log_) return;
  log_->detach(*this);
  log_ = nullptr;
}

Read Cursor::read(uint32_t max_bytes) {
  return log_->read(*this, max_bytes);
}
bool Cursor::park() {
  return log_->park(*this);
}
void Cursor::settle(Outcome outcome, uint64_t records, Micros oldest_left) {
  log_->settle(*this, outcome, records, oldest_left);
}
void Cursor::drop(DropReason reason, uint64_t records, Micros oldest_left) {
  log_->drop(*this, reason, records, oldest_left);
}
Loss Cursor::take_loss() {
  return log_->take_loss(*this);
}
void Cursor::set_waiting(bool outside) {
  log_->set_waiting(*this, outside);
}
Ledger Cursor::ledger() const {
  return log_->ledger(*this);
}
Cursor::Lag Cursor::lag() const {
  return log_->lag(*this);
}

}  // namespace tailrace
