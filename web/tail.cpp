#include "web/tail.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time_text.h"
#include "web/tail_text.h"

namespace tailrace {
namespace {

constexpr uint32_t kRead = 64 * 1024;
constexpr int kRounds = 4;
constexpr size_t kPiece = 64 * 1024;            // of history, written at once
constexpr uint64_t kWholeHistory = UINT64_MAX;  // the log gives what it keeps for readers

/// Proxies must neither keep nor gather a stream. (g++ 12 cannot build this list inside a coroutine.)
HttpFields stream_headers() {
  return {{"Content-Type", "text/plain; charset=utf-8"},
          {"Cache-Control", "no-store"},
          {"X-Accel-Buffering", "no"},
          {"X-Content-Type-Options", "nosniff"}};
}

}  // namespace

Tail::Tail(HttpExchange& exchange, const TailQuery& query, OwnCounters& counters)
    : exchange_(exchange),
      query_(query),
      counters_(counters),
      cursor_(Cursor::Kind::tail, exchange.loop().pass, *this),
      wake_(exchange.loop().io) {
  counters_.tail_opened();
}

Tail::~Tail() {
  cursor_.detach();
  exchange_.loop().pass.forget(*this);
  counters_.tail_closed();
}

asio::awaitable<void> Tail::run() {
  Log& log = *query_.channel->log;
  // g++ 12 miscompiles co_await inside && and ||: each is awaited into a variable.
  const bool begun = co_await exchange_.begin_stream(200, stream_headers());
  if (!begun) co_return;
  exchange_.on_gone([this] {
    gone_ = true;
    wake_.cancel();
  });
  const History history =
      query_.follow ? log.attach_with_history(cursor_, kWholeHistory) : log.history(kWholeHistory);
  bool written = co_await write_history(history);
  if (!query_.follow) co_return;
  for (int round = 1; written && !gone_ && !query_.channel->removed; ++round) {
    // Others of this loop have their turn, also while there is always more and the reader takes all of it.
    if (round % kRounds == 0) co_await asio::post(exchange_.loop().io, asio::use_awaitable);
    const Read read = cursor_.read(kRead);
    append_read(read);
    if (!out_.empty()) {
      written = co_await write_piece();
    } else if (read.empty() && cursor_.park()) {
      co_await wait();
    }
  }
}

void Tail::append_read(const Read& read) {
  if (const Loss& loss = read.loss; loss.records) {
    counters_.tail_skipped(loss.records);
    out_ += rfc3339_micros(wall_now()) +
            " tailrace[tail]: Error L11 (Tail buffer overflow): " + std::to_string(loss.records) +
            " records skipped since " + rfc3339_micros(loss.since) + ".\n";
  }
  for (const std::string& notice : read.notices) (out_ += notice) += '\n';
  for (const Record record : read.slice)
    if (matches(query_, record)) append_line(out_, record);
}

/// In pieces, from slices that all readers share: a reader that does not read holds one piece.
asio::awaitable<bool> Tail::write_history(const History& history) {
  uint64_t matching = 0;
  for (const Slice& slice : history.slices)
    for (const Record record : slice) matching += matches(query_, record);
  uint64_t skip = matching - std::min(matching, query_.num);

  auto notice = history.notices.begin();
  // A notice shows if it lies behind the first record that does.
  const auto tell_until = [&](Position position, bool shown) {
    for (; notice != history.notices.end() && notice->after <= position; ++notice)
      if (shown) (out_ += notice->line) += '\n';
  };
  bool shown = false;
  for (const Slice& slice : history.slices) {
    Position position = slice.first;
    for (const Record record : slice) {
      tell_until(position, shown);
      ++position.value;
      if (!matches(query_, record)) continue;
      if (skip) {
        --skip;
        continue;
      }
      shown = true;
      append_line(out_, record);
      if (out_.size() < kPiece) continue;
      const bool written = co_await write_piece();
      if (!written) co_return false;
    }
  }
  tell_until(Position{UINT64_MAX}, query_.num > 0);
  const bool written = co_await write_piece();
  co_return written;
}

asio::awaitable<bool> Tail::write_piece() {
  const std::string piece = std::exchange(out_, {});
  if (piece.empty()) co_return !gone_;
  const bool written = co_await exchange_.write(piece);
  co_return written && !gone_;
}

asio::awaitable<void> Tail::wait() {
  waiting_ = true;
  wake_.expires_at(asio::steady_timer::time_point::max());
  co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  waiting_ = false;
}

void Tail::run_task() {
  if (waiting_) wake_.cancel();
}

}  // namespace tailrace
