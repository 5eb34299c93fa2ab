#include "web/tail.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time_text.h"
#include "web/chosen_history.h"

namespace tailrace {
namespace {

constexpr uint32_t kRead = 64 * 1024;
constexpr int kRounds = 4;
constexpr size_t kPiece = 64 * 1024;  // of history, written at once

constexpr const char* kMayNotFollow =
    " tailrace[tail]: Error L20 (Tail sessions forbidden): this channel may not be followed.";

const char* content_type(TailForm form) {
  switch (form) {
    case TailForm::ndjson:
      return "application/x-ndjson";
    case TailForm::events:
      return "text/event-stream";
    case TailForm::lines:
      return "application/x-tailrace-lines";
    case TailForm::text:
      break;
  }
  return "text/plain; charset=utf-8";
}

/// Proxies must neither keep nor gather a stream. (g++ 12 cannot build this list inside a coroutine.)
HttpFields stream_headers(TailForm form, const Channel& channel) {
  HttpFields fields{{"Content-Type", content_type(form)},
                    {"Cache-Control", "no-store"},
                    {"X-Accel-Buffering", "no"},
                    {"X-Content-Type-Options", "nosniff"}};
  if (channel.no_history) fields.add("X-Heroku-Warning", "this channel keeps no history for readers.");
  return fields;
}

}  // namespace

Tail::Tail(HttpExchange& exchange, const TailQuery& query, TailForm form, TailServices services)
    : exchange_(exchange),
      query_(query),
      services_(services),
      output_(exchange, form),
      cursor_(Cursor::Kind::tail, exchange.loop().pass, *this),
      wake_(exchange.loop().io) {
  services_.counters.tail_opened();
}

Tail::~Tail() {
  cursor_.detach();
  exchange_.loop().pass.forget(*this);
  services_.counters.tail_closed();
}

asio::awaitable<bool> Tail::run_history() {
  const uint64_t records = cursor_.attach(*query_.channel->log, query_.beginning());
  // g++ 12 miscompiles co_await inside && and ||: each is awaited into a variable.
  const bool begun = co_await exchange_.begin_stream(200, stream_headers(output_.form(), *query_.channel));
  if (!begun) co_return false;
  exchange_.on_gone([this] {
    gone_ = true;
    wake_.cancel();
  });
  const bool written = co_await write_history(records);
  if (!written) co_return false;
  append_heartbeat();
  const bool forbidden = query_.follow && query_.channel->no_tail;
  if (forbidden) output_.append_notice(rfc3339_micros(wall_now()) + kMayNotFollow);
  const bool written_all = co_await write();
  if (!written_all || forbidden) co_return false;
  co_return query_.follow;
}

asio::awaitable<void> Tail::follow() {
  bool written = true;
  for (int round = 1; written && !gone_ && !query_.channel->removed; ++round) {
    // Others of this loop have their turn, also while there is always more and the reader takes all of it.
    if (round % kRounds == 0) co_await asio::post(exchange_.loop().io, asio::use_awaitable);
    const Read read = cursor_.read(kRead);
    next_ = std::max(next_, read.next);
    append_notices(read);
    RenderedSlice wanted;
    if (!read.slice.empty()) {
      wanted = services_.renderings.of(query_.filter, output_.form(), read.slice);
      brought_ += read.slice.records;
      if (wanted.empty()) keep_unreceived();
    } else if (read.empty() && cursor_.park()) {
      co_await wait();
    }
    if (wanted.empty() && mono_now() - output_.last_write() >= kHeartbeat) append_heartbeat();
    if (!output_.empty() || !wanted.empty()) written = co_await write(std::move(wanted));
  }
}

/// The newest ones that match of the `records` before the end as it was, the notices among and behind them,
/// and what had come behind that meanwhile. What is left to write, if anything, is appended. False: the
/// reader has gone, or the channel has.
asio::awaitable<bool> Tail::write_history(uint64_t records) {
  // Where there is nothing to choose, nothing is kept: a reader that does not read holds one piece.
  const uint64_t most = query_.num.value_or(UINT64_MAX);
  const bool all = most >= records || (!query_.filter && !query_.after);
  ChosenHistory chosen(query_.filter, most);
  uint64_t skip = 0;
  for (int round = 1; !gone_; ++round) {
    if (round % kRounds == 0) co_await asio::post(exchange_.loop().io, asio::use_awaitable);
    Read read = cursor_.read(kRead);
    next_ = std::max(next_, read.next);
    brought_ += read.slice.records;
    if (read.live) {
      Loss given_up;
      given_up.records = chosen.given_up();
      given_up.since = wall_now();
      append_loss(given_up);
      for (skip = chosen.too_many(); !chosen.empty();) {
        append_history(chosen.take_oldest(), skip);
        if (output_.size() < kPiece) continue;
        const bool written = co_await write();
        if (!written) co_return false;
      }
      // What came meanwhile belongs to those who follow; its notices to the history.
      append_notices(read);
      if (query_.follow)
        for (Position at = read.slice.first; const Record record : read.slice) {
          if (!query_.filter || query_.filter->wants(record)) output_.append(at, record);
          ++at.value;
        }
      co_return true;
    }
    if (read.empty()) {
      if (query_.channel->removed) co_return false;
      if (cursor_.park()) co_await wait();
    } else if (!all) {
      chosen.add(std::move(read));
    } else {
      append_history(read, skip);
      if (output_.size() < kPiece) continue;
      const bool written = co_await write();
      if (!written) co_return false;
    }
  }
  co_return false;
}

/// Without its first `skip` matching records. A notice shows if it lies behind the first record that does.
void Tail::append_history(const Read& read, uint64_t& skip) {
  append_loss(read.loss);
  if (begun_)
    for (const std::string& notice : read.notices) output_.append_notice(notice);
  for (Position at = read.slice.first; const Record record : read.slice) {
    const Position position = {at.value++};
    if (query_.filter && !query_.filter->wants(record)) continue;
    if (skip) {
      --skip;
      continue;
    }
    begun_ = true;
    output_.append(position, record);
  }
}

void Tail::append_notices(const Read& read) {
  append_loss(read.loss);
  for (const std::string& notice : read.notices) output_.append_notice(notice);
}

void Tail::append_heartbeat() {
  if (has_positions() && next_.value) output_.append_heartbeat({next_.value - 1});
}

void Tail::append_loss(const Loss& loss) {
  if (loss.empty()) return;
  services_.counters.tail_skipped(loss.records);
  output_.append_loss(loss, wall_now());
}

/// What was read and may not have reached the reader is kept, wanted or not: that is asked of the log when he
/// comes back.
void Tail::keep_unreceived() {
  if (!may_come_back()) return;
  const uint64_t trail = brought_ - output_.received();
  if (trail != trail_) cursor_.set_trail(trail_ = trail);
}

asio::awaitable<bool> Tail::write(RenderedSlice shared) {
  keep_unreceived();
  const bool written = co_await output_.write(std::move(shared));
  if (written && may_come_back()) output_.mark(brought_);
  co_return written && !gone_;
}

std::unique_ptr<Cursor> Tail::place() const {
  if (!may_come_back()) return nullptr;
  auto place = std::make_unique<Cursor>();
  place->keep_place(cursor_);
  return place;
}

/// Until something comes, or a heartbeat is due.
asio::awaitable<void> Tail::wait() {
  waiting_ = true;
  wake_.expires_at(has_positions() ? output_.last_write() + kHeartbeat : Mono::max());
  co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  waiting_ = false;
}

void Tail::run_task() {
  if (waiting_) wake_.cancel();
}

}  // namespace tailrace
