#pragma once
// What a tail has written to its reader, and how much of it he may not have received.

#include <deque>
#include <string>

#include "base/clock.h"
#include "channels/ledger.h"
#include "net/http.h"
#include "web/renderings.h"
#include "web/tail_text.h"

namespace tailrace {

/// Lives in its tail, on its loop. What is appended goes out with the next write().
class TailOutput {
 public:
  TailOutput(HttpExchange& exchange, TailForm form) : exchange_(exchange), form_(form) {}

  TailForm form() const { return form_; }
  bool empty() const { return text_.empty(); }
  size_t size() const { return text_.size(); }

  void append(Position position, const Record& record) { append_record(text_, form_, position, record); }
  void append_notice(std::string_view line) { tailrace::append_notice(text_, form_, line); }
  void append_heartbeat(Position position) { tailrace::append_heartbeat(text_, form_, position); }
  /// L11: what the reader will not get.
  void append_loss(const Loss& loss, Micros now);

  /// Writes what was appended, and then `shared`. False: the reader is gone.
  asio::awaitable<bool> write(RenderedSlice shared = {});

  /// With all that was written the reader has been brought to his `records`th, whether or not he wanted it.
  void mark(uint64_t records);
  /// Up to which of them he has surely received all: what his system has not acknowledged is left out, and of
  /// the rest the last kUnread bytes, unless they are older than kUnreadTime, for he may not have read them.
  uint64_t received();

  Mono last_write() const { return last_write_; }

 private:
  struct Mark {
    uint64_t bytes = 0, records = 0;  // written
    Mono at{};
  };
  static constexpr uint64_t kMarkBytes = 16 * 1024;  // marks lie no closer
  static constexpr uint64_t kUnread = 128 * 1024;
  static constexpr auto kUnreadTime = std::chrono::seconds(10);

  HttpExchange& exchange_;
  const TailForm form_;
  std::string text_;
  uint64_t written_ = 0;
  Mark received_;
  std::deque<Mark> marks_;
  Mono last_write_ = mono_now();
};

}  // namespace tailrace
