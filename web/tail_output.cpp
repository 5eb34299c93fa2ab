#include "web/tail_output.h"

#include "base/time_text.h"

namespace tailrace {

void TailOutput::append_loss(const Loss& loss, Micros now) {
  if (loss.empty()) return;
  const std::string said = rfc3339_micros(now) + " tailrace[tail]: ";
  append_notice(said + "Error L11 (Tail buffer overflow): " + std::to_string(loss.records) +
                " records skipped since " + rfc3339_micros(loss.since) + ".");
  if (loss.unknown)
    append_notice(said +
                  "This log was begun anew; what came behind the record you had before that is not known.");
}

asio::awaitable<bool> TailOutput::write(RenderedSlice shared) {
  bool written = true;
  if (!text_.empty()) {
    const std::string text = std::exchange(text_, {});
    written_ += text.size();
    written = co_await exchange_.write(text);
  }
  for (const std::string_view piece : shared.pieces()) {
    if (!written) break;
    written_ += piece.size();
    written = co_await exchange_.write(piece);
  }
  last_write_ = mono_now();
  co_return written;
}

void TailOutput::mark(uint64_t records) {
  if (marks_.size() > 1 && written_ - marks_[marks_.size() - 2].bytes < kMarkBytes) marks_.pop_back();
  marks_.push_back({written_, records, last_write_});
}

uint64_t TailOutput::received() {
  const uint64_t acknowledged = written_ - std::min<uint64_t>(written_, exchange_.unsent());
  const Mono old = mono_now() - kUnreadTime;
  for (; !marks_.empty() && marks_.front().bytes <= acknowledged; marks_.pop_front()) {
    if (marks_.front().bytes + kUnread > written_ && marks_.front().at > old) break;
    received_ = marks_.front();
  }
  return received_.records;
}

}  // namespace tailrace
