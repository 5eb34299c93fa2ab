#pragma once
// One reader's stream: history, then what follows, from one cursor and without a hole in between.

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>

#include "channels/log.h"
#include "metrics/own_counters.h"
#include "net/http.h"
#include "web/tail_output.h"
#include "web/tail_query.h"

namespace tailrace {

/// What all tails share; outlives them.
struct TailServices {
  OwnCounters& counters;
  Renderings& renderings;
};

/// Lives in its handler's coroutine, on its loop. A reader that is too slow loses records, as every cursor
/// does, and is told where and how many.
class Tail final : public Task {
 public:
  static constexpr auto kHeartbeat = std::chrono::seconds(15);

  Tail(HttpExchange& exchange, const TailQuery& query, TailForm form, TailServices services);
  ~Tail() override;
  Tail(const Tail&) = delete;
  Tail& operator=(const Tail&) = delete;

  /// Begins the answer and brings the reader to where the log ends now. False: that is all; he is gone, or he
  /// follows nothing.
  asio::awaitable<bool> run_history();
  /// Writes what comes until the reader has gone.
  asio::awaitable<void> follow();

  /// What the reader may come back for; none if his form has no numbers, or he follows nothing.
  std::unique_ptr<Cursor> place() const;

 private:
  void run_task() override;
  asio::awaitable<bool> write_history(uint64_t records);
  void append_history(const Read& read, uint64_t& skip);
  void append_notices(const Read& read);
  asio::awaitable<bool> write(RenderedSlice shared = {});
  void append_heartbeat();
  void append_loss(const Loss& loss);
  bool has_positions() const {
    return output_.form() == TailForm::events || output_.form() == TailForm::lines;
  }
  void keep_unreceived();
  bool may_come_back() const { return has_positions() && query_.follow; }
  asio::awaitable<void> wait();

  HttpExchange& exchange_;
  const TailQuery& query_;
  TailServices services_;
  TailOutput output_;
  Cursor cursor_;
  asio::steady_timer wake_;
  bool waiting_ = false, gone_ = false;
  bool begun_ = false;    // a record of the history was shown
  uint64_t brought_ = 0;  // records that were read, wanted or not
  uint64_t trail_ = 0;    // of them, that may not have been received
  Position next_;         // the reader has been brought to before this number
};

}  // namespace tailrace
