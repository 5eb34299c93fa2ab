#include "drains/http_drain.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tailrace {
namespace {

constexpr auto kAtOnce = std::chrono::milliseconds(0);
constexpr auto kForLong = std::chrono::seconds(2);  // a batch that waits so long gives back what it can
constexpr uint64_t kMostUnwanted = 1 << 20;         // bytes that a filter may pass over for one batch
constexpr uint32_t kFilteredAtOnce = 16 * 1024;     // between two looks at the clock
constexpr auto kFilterTime = std::chrono::milliseconds(1);  // before others have their turn

}  // namespace

HttpDrain::HttpDrain(Loop& loop, const DrainEntry& entry, JudgedTarget judged, DrainServices services)
    : Drain(loop, entry),
      target_(std::move(judged.target)),
      options_(std::move(judged.options)),
      services_(services),
      requests_(target_, options_, entry.token),
      policy_(options_.batch_bytes),
      client_(loop, services.connector,
              services.tls.with({options_.tls_ca, options_.tls_cert, options_.tls_key}),
              Origin{target_.kind == DrainTarget::Kind::https, target_.host, target_.port}),
      wake_(loop.io) {}

void HttpDrain::start() {
  if (stopped() || std::exchange(running_, true)) return;
  tell_losses();  // of whoever had its place before
  asio::co_spawn(loop_.io, run(std::static_pointer_cast<HttpDrain>(shared_from_this())), asio::detached);
}

void HttpDrain::shut() {
  client_.close();
  wake_.cancel();  // what is under way ends soon, and its batch with it
}

void HttpDrain::turn() {
  policy_.forgive();
  if (held()) client_.close();
  wake_.cancel();
}

void HttpDrain::hurry() {
  Drain::hurry();
  hurried_ = true;
  if (batches_.empty()) wake_.cancel();
}

void HttpDrain::run_task() {
  if (stopped()) return;
  tell_losses();
  if (std::exchange(idle_, false)) wake_.cancel();
}

// ---- the loop --------------------------------------------------------------------------------------------

asio::awaitable<void> HttpDrain::run(std::shared_ptr<HttpDrain> self) {
  while (!self->stopped()) {
    if (self->held()) {
      self->cursor_.set_waiting(true);
      co_await self->wait(std::chrono::hours(24));
      if (!self->stopped()) self->cursor_.set_waiting(self->held());
      continue;
    }
    if (self->batches_.empty()) {
      const Gathered gathered = self->gather();
      if (gathered == Gathered::out_of_time) {
        co_await asio::post(self->loop_.io, asio::use_awaitable);
        continue;
      }
      if (gathered == Gathered::more_to_come || !self->freeze_batch()) {
        co_await self->wait_for_records();
        continue;
      }
    }
    self->cursor_.set_waiting(true);
    const auto pause = co_await self->send_batch();
    if (self->stopped()) co_return;
    if (pause > kAtOnce) {
      self->set_next_try(wall_now() + std::chrono::duration_cast<std::chrono::microseconds>(pause).count());
      if (pause >= kForLong)
        for (Delivery& batch : self->batches_) batch.settle_down();
      co_await self->wait(pause);
    }
    if (self->stopped()) co_return;  // and the cursor is detached
    self->cursor_.set_waiting(false);
  }
}

/// One request, and how long to wait before the next.
asio::awaitable<std::chrono::milliseconds> HttpDrain::send_batch() {
  const Delivery& batch = batches_.front();
  if (full_) co_await loop_.turns.wait(wake_);
  auto body = co_await requests_.body(batch);
  if (stopped() || held()) co_return kAtOnce;
  const Mono began = mono_now();
  const Micros began_at = wall_now();
  const bool reused = client_.connected();
  std::string head = requests_.head(batch, *body, wall_now());
  auto answer = co_await client_.exchange(head, *body);
  // A connection kept alive may be closed by the far end in just that moment: no trouble yet.
  if (reused && answer.has_error() && answer.error().code == NetErrc::closed) {
    body = co_await requests_.body(batch);
    if (stopped() || held()) co_return kAtOnce;
    head = requests_.head(batch, *body, wall_now());
    answer = co_await client_.exchange(head, *body);
  }
  // Stopped, or held, and perhaps let go again by now: it was not the far end.
  if (stopped() || (answer.has_error() && answer.error().code == NetErrc::stopped)) co_return kAtOnce;
  const Mono now = mono_now();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - began);
  if (answer) {
    set_last_status(answer->status);
    answered(took, now);
  }
  DeliveryPolicy::Sent sent;
  sent.frames = batch.frames();
  sent.records = batch.records;
  sent.bytes = batch.bytes;
  sent.took = std::chrono::duration_cast<Milliseconds>(took);
  co_return carry_out(policy_.judge(answer, sent, now), began_at);
}

asio::awaitable<void> HttpDrain::wait_for_records() {
  idle_ = true;
  if (delaying_)
    wake_.expires_after(delay_left());
  else
    wake_.expires_at(asio::steady_timer::time_point::max());
  if (!cursor_.park()) idle_ = false;
  if (idle_) co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  idle_ = false;
}

asio::awaitable<void> HttpDrain::wait(Milliseconds time) {
  wake_.expires_after(time);
  co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
}

// ---- what an answer does ---------------------------------------------------------------------------------

/// Gives how long to wait before the next request. `began`: when this one did.
HttpDrain::Milliseconds HttpDrain::carry_out(const Decision& decision, Micros began) {
  switch (decision.verdict) {
    case Verdict::delivered: {
      const Delivery batch = std::move(batches_.front());
      batches_.pop_front();
      delivered(batch.records, oldest_in_flight(), batch.filtered);
      if (batch.loss.records) told(batch.loss.records);
      break;
    }
    case Verdict::split:
      split_batch();
      break;
    case Verdict::refused:
      refuse_one(decision.cause);
      break;
    case Verdict::pause:
      paused(decision.cause);
      return decision.wait;
    case Verdict::again:
      break;
  }
  if (decision.failed) failed(NetFailure{decision.code, decision.cause}, began);
  return decision.wait;
}

void HttpDrain::split_batch() {
  auto [first, second] = Delivery::halves(std::move(batches_.front()));
  batches_.pop_front();
  first.name(entry_.token);
  second.name(entry_.token);
  batches_.push_front(std::move(second));
  batches_.push_front(std::move(first));
}

/// What cannot be split any more is refused for good: a record is dropped, an L10 frame given up (the channel
/// has been told).
void HttpDrain::refuse_one(const std::string& cause) {
  const Delivery batch = std::move(batches_.front());
  batches_.pop_front();
  if (!batch.records) return told(batch.loss.records);
  if (const uint64_t before = batch.skipped.front()) filtered(before, batch.oldest());
  refused(batch.slices.front(), cause, oldest_in_flight());
  if (batch.behind) filtered(batch.behind, oldest_in_flight());
}

void HttpDrain::give_back_losses() {
  for (const Delivery& batch : batches_)
    if (batch.loss.records) give_back_own_loss(batch.loss);
}

Micros HttpDrain::oldest_in_flight() const {
  for (const Delivery& batch : batches_)
    if (const Micros oldest = batch.oldest()) return oldest;
  return gathered_.oldest();
}

// ---- batches ---------------------------------------------------------------------------------------------

/// How long the next batch may still wait for more.
HttpDrain::Milliseconds HttpDrain::delay_left() const {
  if (hurried_ || unfinished_) return kAtOnce;
  const auto waited = std::chrono::duration_cast<Milliseconds>(mono_now() - gathering_since_);
  return std::max(kAtOnce, options_.batch_delay - waited);
}

/// Reads on until the next batch is whole, or nothing more is there; or until it has used up its time on what
/// the filter does not want.
HttpDrain::Gathered HttpDrain::gather() {
  const uint64_t target = std::min(policy_.batch_bytes(), services_.batch_bytes());
  const RecordFilter* const wanted = options_.wanted.get();
  const Mono end = mono_now() + kFilterTime;
  if (gathered_.empty()) gathering_since_ = mono_now();
  delaying_ = full_ = false;
  while (unfinished_ || (gathered_.bytes < target && unwanted_ < kMostUnwanted)) {
    // What was one batch ends where it ended, not where this start's chunks would have it end.
    const uint64_t room = unfinished_ ? kMaxChunk : target - gathered_.bytes;
    const Read read = cursor_.read(uint32_t(wanted ? std::min<uint64_t>(room, kFilteredAtOnce) : room));
    if (read.fetching) return Gathered::more_to_come;
    unfinished_ = read.unfinished;
    if (read.slice.empty()) {
      delaying_ = !gathered_.empty() && delay_left() > kAtOnce;
      return delaying_ ? Gathered::more_to_come : Gathered::all_there_is;
    }
    // A first record larger than the rest of the body goes along; it is bounded itself.
    const uint64_t before = gathered_.bytes;
    gathered_.add(read.slice, wanted);
    unwanted_ += read.slice.bytes() - (gathered_.bytes - before);
    if (!gathered_.records) {
      filtered(gathered_.filtered, 0);
      gathered_ = {};
      unwanted_ = 0;
    }
    if (read.finished) return Gathered::all_there_is;
    if (wanted && mono_now() >= end) return Gathered::out_of_time;
  }
  full_ = true;
  return Gathered::all_there_is;
}

/// False: there is nothing to send.
bool HttpDrain::freeze_batch() {
  Delivery batch = std::exchange(gathered_, {});
  unwanted_ = 0;
  batch.loss = take_own_loss();  // told alone if there is no record to go with it
  if (requests_.tells_kinds_apart()) give_back_own_loss(batch.loss.take_second_kind());
  if (batch.loss.records) batch.l10 = requests_.loss(batch.loss, wall_now());
  if (batch.empty()) return false;
  batch.name(entry_.token);
  batches_.push_back(std::move(batch));
  return true;
}

}  // namespace tailrace
