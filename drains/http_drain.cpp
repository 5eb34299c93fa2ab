#include "drains/http_drain.h"

#include <openssl/sha.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tailrace {
namespace {

constexpr size_t kTargetBytes = 102'400;  // of a body, Logplex's http_drain_target_bytes
constexpr auto kProbe = std::chrono::minutes(3);
constexpr auto kAtOnce = std::chrono::milliseconds(0);

std::string in_words(int status) {
  return "answered " + std::to_string(status);
}

}  // namespace

HttpDrain::HttpDrain(Loop& loop, const DrainEntry& entry, DrainTarget target, DrainServices services)
    : Drain(loop, entry),
      target_(std::move(target)),
      client_(loop, services.connector, services.tls,
              Origin{target_.kind == DrainTarget::Kind::https, target_.host, target_.port}),
      wake_(loop.io) {}

void HttpDrain::start() {
  if (stopped() || std::exchange(running_, true)) return;
  asio::co_spawn(loop_.io, run(std::static_pointer_cast<HttpDrain>(shared_from_this())), asio::detached);
}

void HttpDrain::shut() {
  client_.close();
  wake_.cancel();
  gathered_ = {};
  batches_.clear();
}

void HttpDrain::turn() {
  backoff_.reset();
  if (held()) client_.close();
  wake_.cancel();
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
      co_await self->wait(std::chrono::hours(24));
      continue;
    }
    if (self->batches_.empty() && !self->freeze_batch()) {
      co_await self->wait_for_records();
      continue;
    }
    self->cursor_.set_waiting(true);
    const auto pause = co_await self->send_batch();
    if (self->stopped()) co_return;
    if (pause > kAtOnce) {
      self->set_next_try(wall_now() + std::chrono::duration_cast<std::chrono::microseconds>(pause).count());
      co_await self->wait(pause);
    }
    if (self->stopped()) co_return;  // and the cursor is detached
    self->cursor_.set_waiting(false);
  }
}

/// One request, and how long to wait before the next. Its bytes are gone before that wait begins.
asio::awaitable<std::chrono::milliseconds> HttpDrain::send_batch() {
  const std::string body = body_of(batches_.front());
  const std::string head = head_of(batches_.front(), body.size());
  const bool reused = client_.connected();
  auto answer = co_await client_.exchange(head, body);
  // A connection kept alive may be closed by the far end in just that moment: no trouble yet.
  if (reused && !stopped() && answer.has_error() && answer.error().code == NetErrc::closed)
    answer = co_await client_.exchange(head, body);
  if (stopped() || held()) co_return kAtOnce;
  co_return judge(answer);
}

asio::awaitable<void> HttpDrain::wait_for_records() {
  idle_ = true;
  wake_.expires_at(asio::steady_timer::time_point::max());
  if (!cursor_.park()) idle_ = false;
  if (idle_) co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
  idle_ = false;
}

asio::awaitable<void> HttpDrain::wait(std::chrono::milliseconds time) {
  wake_.expires_after(time);
  co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
}

/// What the answer means for the batch, and how long to wait before the next request.
std::chrono::milliseconds HttpDrain::judge(const NetResult<HttpAnswer>& answer) {
  if (answer.has_error()) {
    failed(answer.error().text);
    return is_paused() ? kProbe : backoff_.next();
  }
  const int status = answer->status;
  set_last_status(status);
  if (status / 100 == 2) {
    backoff_.reset();
    lone_refusals_ = 0;
    settle_batch();
    return kAtOnce;
  }
  switch (status) {
    case 400:
    case 413:
    case 422:
      if (batches_.front().records > 1) {
        halve_batch();
        return kAtOnce;
      }
      refuse_one();
      // One poisonous record is passed over at once; a far end that refuses everything is not hurried.
      if (++lone_refusals_ < 2) return kAtOnce;
      failed(in_words(status));
      return backoff_.next();
    case 401:
    case 403:
    case 404:
    case 410:
      paused(in_words(status));
      return kProbe;
    default: {
      failed(in_words(status));
      const std::chrono::milliseconds wait = is_paused() ? kProbe : backoff_.next();
      return std::max<std::chrono::milliseconds>(wait, answer->retry_after);
    }
  }
}

// ---- batches ---------------------------------------------------------------------------------------------

/// Reads on until the next batch is whole, or nothing more is there. False: more of it is on its way.
bool HttpDrain::gather() {
  size_t bytes = 0;
  for (const Slice& slice : gathered_.slices) bytes += slice.bytes();
  while (unfinished_ || bytes < kTargetBytes) {
    // What was one batch ends where it ended, not where this start's chunks would have it end.
    const Read read = cursor_.read(unfinished_ ? kMaxChunk : uint32_t(kTargetBytes - bytes));
    if (read.fetching) return false;
    unfinished_ = read.unfinished;
    if (read.slice.empty()) return true;
    // A first record larger than the rest of the body goes along; it is bounded itself.
    bytes += read.slice.bytes();
    gathered_.records += read.slice.records;
    gathered_.slices.push_back(read.slice);
    if (read.finished) return true;
  }
  return true;
}

bool HttpDrain::freeze_batch() {
  if (!gather()) return false;
  Batch batch = std::exchange(gathered_, {});
  batch.loss = take_own_loss();  // told alone if there is no record to go with it
  if (!batch.records && !batch.loss.records) return false;
  if (batch.loss.records) batch.l10 = LogplexFrames::loss(batch.loss.records, batch.loss.since, wall_now());
  name(batch);
  batches_.push_back(std::move(batch));
  return true;
}

/// The frame id: the same for the same records of the same drain, however often they are sent. A restart
/// forgets the L10 frame that a batch began with, so it names that one alone which goes without records.
void HttpDrain::name(Batch& batch) const {
  std::string range = entry_.token + " ";
  if (batch.slices.empty())
    range += batch.l10;
  else
    range += " " + std::to_string(batch.slices.front().first.value) + " " +
             std::to_string(batch.slices.back().past().value);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(range.data()), range.size(), hash);
  batch.frame_id.clear();
  for (size_t i = 0; i < 16; ++i) {
    batch.frame_id += "0123456789ABCDEF"[hash[i] >> 4];
    batch.frame_id += "0123456789ABCDEF"[hash[i] & 15];
  }
}

std::string HttpDrain::head_of(const Batch& batch, size_t body_size) const {
  std::string head = "POST " + target_.request_path + " HTTP/1.1\r\nHost: " + target_.host_header + "\r\n";
  if (!target_.authorization.empty()) head += "Authorization: " + target_.authorization + "\r\n";
  head += "Content-Type: application/logplex-1\r\nLogplex-Msg-Count: ";
  head += std::to_string(batch.records + (batch.l10.empty() ? 0 : 1));
  head += "\r\nLogplex-Frame-Id: " + batch.frame_id + "\r\nLogplex-Drain-Token: " + entry_.token;
  head += "\r\nUser-Agent: Logplex/tailrace-" TAILRACE_VERSION "\r\nContent-Length: ";
  head += std::to_string(body_size) + "\r\n\r\n";
  return head;
}

std::string HttpDrain::body_of(const Batch& batch) {
  size_t size = batch.l10.size();
  for (const Slice& slice : batch.slices)
    for (const Record record : slice) size += LogplexFrames::size(record);
  std::string body(size, '\0');
  char* at = body.data() + batch.l10.copy(body.data(), batch.l10.size());
  for (const Slice& slice : batch.slices)
    for (const Record record : slice) at = LogplexFrames::write(record, at);
  return body;
}

Micros HttpDrain::oldest_in_flight() const {
  for (const Batch& batch : batches_)
    if (batch.records) return (*batch.slices.front().begin()).arrival();
  return 0;
}

void HttpDrain::settle_batch() {
  const uint64_t records = batches_.front().records;
  batches_.pop_front();
  delivered(records, oldest_in_flight());
}

/// Two batches of half the records each, in order; the L10 frame stays with the first.
void HttpDrain::halve_batch() {
  Batch first = std::move(batches_.front()), second;
  batches_.pop_front();
  uint64_t left = first.records / 2;
  std::vector<Slice> all = std::exchange(first.slices, {});
  first.records = 0;
  for (Slice& slice : all) {
    const auto take = uint32_t(std::min<uint64_t>(left, slice.records));
    Slice rest = slice;
    for (uint32_t i = 0; i < take; ++i)
      rest.begin_at += uint32_t(Record(rest.chunk->data() + rest.begin_at).stride());
    rest.records -= take;
    rest.first.value += take;
    if (take) {
      slice.end_at = rest.begin_at;
      slice.records = take;
      first.slices.push_back(slice);
      first.records += take;
    }
    if (rest.records) {
      second.slices.push_back(rest);
      second.records += rest.records;
    }
    left -= take;
  }
  name(first);
  name(second);
  batches_.push_front(std::move(second));
  batches_.push_front(std::move(first));
}

/// What cannot be halved any more is refused for good: a record is dropped, an L10 frame given up (the
/// channel has been told). With both, each goes alone once.
void HttpDrain::refuse_one() {
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  if (batch.records && !batch.l10.empty()) {
    Batch told{
        .slices = {}, .records = 0, .loss = batch.loss, .l10 = std::exchange(batch.l10, {}), .frame_id = {}};
    batch.loss = {};
    name(told);
    name(batch);
    batches_.push_front(std::move(batch));
    batches_.push_front(std::move(told));
  } else if (batch.records) {
    cursor_.drop(DropReason::refused, 1, oldest_in_flight());
    tell_losses();
  }
}

}  // namespace tailrace
