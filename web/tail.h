#pragma once
// One reader's stream: history, then what follows, from one cursor and without a hole in between.

#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "channels/log.h"
#include "metrics/own_counters.h"
#include "net/http.h"
#include "web/sessions.h"

namespace tailrace {

/// Lives in its handler's coroutine, on its loop. A reader that is too slow loses records, as every cursor
/// does, and is told where and how many.
class Tail final : public Task {
 public:
  Tail(HttpExchange& exchange, const TailQuery& query, OwnCounters& counters);
  ~Tail() override;
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  /// Writes until the reader has gone, or, without `follow`, until the history is written.
  asio::awaitable<void> run();

 private:
  void run_task() override;
  asio::awaitable<std::optional<Read>> write_history(uint64_t records);
  void append_history(const Read& read, uint64_t& skip);
  void append_read(const Read& read);
  void append_loss(const Loss& loss);
  asio::awaitable<bool> write_piece();
  asio::awaitable<void> wait();

  HttpExchange& exchange_;
  const TailQuery& query_;
  OwnCounters& counters_;
  Cursor cursor_;
  asio::steady_timer wake_;
  bool waiting_ = false, gone_ = false;
  bool begun_ = false;  // a record of the history was shown
  std::string out_;
};

}  // namespace tailrace
