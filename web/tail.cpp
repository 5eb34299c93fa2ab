#include "web/tail.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

#include "base/time_text.h"
#include "web/tail_text.h"

namespace tailrace {
namespace {

constexpr uint32_t kRead = 64 * 1024;
constexpr int kRounds = 4;
constexpr size_t kPiece = 64 * 1024;  // of history, written at once

/// Proxies must neither keep nor gather a stream. (g++ 12 cannot build this list inside a coroutine.)
HttpFields stream_headers() {
  return {{"Content-Type", "text/plain; charset=utf-8"},
          {"Cache-Control", "no-store"},
          {"X-Accel-Buffering", "no"},
          {"X-Content-Type-Options", "nosniff"}};
}

bool matches(const TailQuery& query, const Record& record) {
  return !query.filter || query.filter->wants(record);
}

Place beginning(const TailQuery& query) {
  if (query.num == 0) return Place::at_end();
  return Place::newest(!query.filter ? query.num : UINT64_MAX);  // no more than the log has for readers
}

/// The newest reads of the history, in which the newest `num` matching records lie. They pin what they hold.
class Chosen {
 public:
  explicit Chosen(const TailQuery& query) : query_(query) {}

  void add(Read read) {
    uint64_t matching = 0;
    for (const Record record : read.slice) matching += matches(query_, record);
    if (!matching) read.slice = {};
    if (read.empty()) return;
    reads_.push_back({std::move(read), matching});
    matching_ += matching;
    for (; matching_ - reads_.front().matching >= query_.num; reads_.pop_front())
      matching_ -= reads_.front().matching;
  }
  /// Matching records in them that are too many, the oldest ones.
  uint64_t too_many() const { return matching_ - std::min(matching_, query_.num); }
  bool empty() const { return reads_.empty(); }
  Read take_oldest() {
    Read read = std::move(reads_.front().read);
    reads_.pop_front();
    return read;
  }

 private:
  struct Counted {
    Read read;
    uint64_t matching;
  };
  const TailQuery& query_;
  std::deque<Counted> reads_;
  uint64_t matching_ = 0;
};

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
  const uint64_t records = cursor_.attach(*query_.channel->log, beginning(query_));
  // g++ 12 miscompiles co_await inside && and ||: each is awaited into a variable.
  const bool begun = co_await exchange_.begin_stream(200, stream_headers());
  if (!begun) co_return;
  exchange_.on_gone([this] {
    gone_ = true;
    wake_.cancel();
  });
  std::optional<Read> behind = co_await write_history(records);
  if (!behind) co_return;
  if (!query_.follow) behind->slice = {};  // its notices belong to the history
  append_read(*behind);
  bool written = co_await write_piece();
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

/// The newest `num` matching ones of the `records` before the end as it was, and the notices among and behind
/// them. What is left to write, if anything, is in out_. Gives the first read behind them; none if the reader
/// has gone.
asio::awaitable<std::optional<Read>> Tail::write_history(uint64_t records) {
  // Where there is nothing to choose, nothing is kept: a reader that does not read holds one piece.
  const bool choose = query_.filter && query_.num < records;
  Chosen chosen(query_);
  uint64_t skip = 0;
  for (int round = 1; !gone_; ++round) {
    if (round % kRounds == 0) co_await asio::post(exchange_.loop().io, asio::use_awaitable);
    Read read = cursor_.read(kRead);
    if (read.live) {
      for (skip = chosen.too_many(); !chosen.empty();) {
        append_history(chosen.take_oldest(), skip);
        if (out_.size() < kPiece) continue;
        const bool written = co_await write_piece();
        if (!written) co_return std::nullopt;
      }
      co_return read;
    }
    if (read.empty()) {
      if (query_.channel->removed) co_return std::nullopt;
      if (cursor_.park()) co_await wait();
    } else if (choose) {
      chosen.add(std::move(read));
    } else {
      append_history(read, skip);
      if (out_.size() < kPiece) continue;
      const bool written = co_await write_piece();
      if (!written) co_return std::nullopt;
    }
  }
  co_return std::nullopt;
}

/// Without its first `skip` matching records. A notice shows if it lies behind the first record that does.
void Tail::append_history(const Read& read, uint64_t& skip) {
  append_loss(read.loss);
  if (begun_)
    for (const std::string& notice : read.notices) (out_ += notice) += '\n';
  for (const Record record : read.slice) {
    if (!matches(query_, record)) continue;
    if (skip) {
      --skip;
      continue;
    }
    begun_ = true;
    append_record(out_, TailForm::text, {}, record);
  }
}

void Tail::append_read(const Read& read) {
  append_loss(read.loss);
  for (const std::string& notice : read.notices) (out_ += notice) += '\n';
  for (const Record record : read.slice)
    if (matches(query_, record)) append_record(out_, TailForm::text, {}, record);
}

void Tail::append_loss(const Loss& loss) {
  if (!loss.records) return;
  counters_.tail_skipped(loss.records);
  out_ += rfc3339_micros(wall_now()) +
          " tailrace[tail]: Error L11 (Tail buffer overflow): " + std::to_string(loss.records) +
          " records skipped since " + rfc3339_micros(loss.since) + ".\n";
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
