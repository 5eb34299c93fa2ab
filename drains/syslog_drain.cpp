#include "drains/syslog_drain.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstring>

namespace tailrace {
namespace {

constexpr size_t kScratch = 128 * 1024;  // holds the frames of a whole chunk
constexpr uint32_t kMostRead = kMaxChunk;
constexpr int kRounds = 4;  // sends before others have their turn
constexpr int kSendBuffer = 256 * 1024;
constexpr auto kStalled = std::chrono::seconds(15);
constexpr auto kQuiet = std::chrono::seconds(1);  // then it is looked at less often
constexpr auto kCheckSoon = std::chrono::milliseconds(20), kCheckSeldom = std::chrono::milliseconds(250);
constexpr auto kOneItem =
    std::chrono::milliseconds(20);  // what is sent so close together is settled together
constexpr auto kStable = std::chrono::seconds(5);

char* scratch() {
  thread_local const auto memory = std::make_unique_for_overwrite<char[]>(kScratch);
  return memory.get();
}

}  // namespace

SyslogDrain::SyslogDrain(Loop& loop, const DrainEntry& entry, DrainTarget target, DrainServices services)
    : Drain(loop, entry),
      target_(std::move(target)),
      services_(services),
      frames_(entry.token),
      socket_(loop.io),
      timer_(loop.io),
      check_timer_(loop.io) {}

void SyslogDrain::start() {
  if (!stopped()) run_task();
}

void SyslogDrain::shut() {
  ++connection_;
  timer_.cancel();
  check_timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  in_flight_.clear();
}

void SyslogDrain::turn() {
  if (link_ == Link::waiting) {
    timer_.cancel();
    backoff_.reset();
    link_ = Link::down;
  }
  if (!held()) return run_task();
  if (link_ != Link::up) return;
  settle_acknowledged();
  if (!in_flight_.empty()) settle_partly(in_flight_.front(), acknowledged_);
  close_link();
}

void SyslogDrain::run_task() {
  if (stopped()) return;
  tell_losses();
  if (held()) return;
  if (link_ == Link::up && !blocked_) return pump();
  if (link_ != Link::down) return;
  if (in_flight_.empty() && cursor_.park()) {
    // Nobody needs it, and it will be made when somebody does; or a disk is waited for.
    if (!cursor_.lag().records) down_since_ = 0;
    return;
  }
  link_ = Link::connecting;
  cursor_.set_waiting(true);
  asio::co_spawn(loop_.io, connect(std::static_pointer_cast<SyslogDrain>(shared_from_this())),
                 asio::detached);
}

// ---- the connection --------------------------------------------------------------------------------------

asio::awaitable<void> SyslogDrain::connect(std::shared_ptr<SyslogDrain> self) {
  auto socket =
      co_await self->services_.connector.connect(self->loop_, self->target_.host, self->target_.port);
  if (self->stopped()) co_return;
  if (self->held()) {
    self->link_ = Link::down;
    co_return;
  }
  if (socket)
    self->connected(std::move(*socket));
  else
    self->try_later(std::exchange(self->down_since_, 0), socket.error().text);
}

void SyslogDrain::connected(asio::ip::tcp::socket socket) {
  ++connection_;
  socket_ = std::move(socket);
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  link_ = Link::up;
  blocked_ = false;
  down_since_ = 0;
  written_ = acknowledged_ = 0;
  rest_.clear();
  rest_at_ = 0;
  connected_at_ = last_progress_ = mono_now();
  set_next_try(0);
  cursor_.set_waiting(false);
  watch_far_end();
  write_again();
  pump();
}

/// What the last connection did not have acknowledged goes first.
void SyslogDrain::write_again() {
  for (InFlight& item : in_flight_) {
    rest_ += item.loss;
    for (const Record record : item.slice) {
      const size_t at = rest_.size();
      rest_.resize(at + frames_.size(record));
      frames_.write(record, rest_.data() + at);
    }
    item.end = rest_.size();
  }
}

void SyslogDrain::try_later(Micros since, const std::string& cause) {
  link_ = Link::waiting;
  const auto wait = backoff_.next();
  set_next_try(wall_now() + std::chrono::duration_cast<std::chrono::microseconds>(wait).count());
  failed(cause, since);
  timer_.expires_after(wait);
  timer_.async_wait([self = std::static_pointer_cast<SyslogDrain>(shared_from_this())](error_code ec) {
    if (ec || self->stopped()) return;
    self->link_ = Link::down;
    self->run_task();
  });
}

void SyslogDrain::broken(const std::string& cause, bool stalled) {
  if (link_ != Link::up) return;
  settle_acknowledged();
  if (!in_flight_.empty()) settle_partly(in_flight_.front(), acknowledged_);
  close_link();
  down_since_ = wall_now();
  const bool worked = acknowledged_ > 0 && mono_now() - connected_at_ >= kStable;
  if (stalled || !worked) return try_later(down_since_, cause);
  // One that worked until it was closed is made again at once, and only if that fails is it told.
  backoff_.reset();
  run_task();
}

void SyslogDrain::close_link() {
  ++connection_;
  error_code ignored;
  socket_.close(ignored);
  cursor_.set_waiting(true);
  rest_.clear();
  rest_at_ = 0;
  link_ = Link::down;
}

/// A syslog receiver says nothing; what it says is thrown away, and that it closed is seen at once.
void SyslogDrain::watch_far_end() {
  socket_.async_wait(
      asio::socket_base::wait_read,
      [self = std::static_pointer_cast<SyslogDrain>(shared_from_this()), n = connection_](error_code ec) {
        if (ec || n != self->connection_ || self->stopped()) return;
        char bytes[4096];
        const ssize_t got = ::recv(self->socket_.native_handle(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return self->watch_far_end();
        self->broken(got == 0 ? "closed by the far end" : "reset by the far end");
      });
}

// ---- sending ---------------------------------------------------------------------------------------------

void SyslogDrain::pump() {
  settle_acknowledged();
  for (int round = 0; round < kRounds; ++round) {
    if (!flush_rest() || !send_loss()) return;
    const Read read = cursor_.read(kMostRead);
    if (read.slice.empty()) {
      if (!cursor_.park()) continue;
      return check_later();
    }
    if (!send_frames(read.slice)) return;
  }
  check_later();
  loop_.pass.again(*this);
}

bool SyslogDrain::send_frames(const Slice& slice) {
  char* const begin = scratch();
  char* end = begin;
  for (const Record record : slice) end = frames_.write(record, end);
  const auto size = size_t(end - begin);
  const Mono now = mono_now();
  if (in_flight_.empty()) last_progress_ = now;
  const bool adjoins = !in_flight_.empty() && in_flight_.back().slice.chunk == slice.chunk &&
                       in_flight_.back().slice.end_at == slice.begin_at && in_flight_.back().loss.empty() &&
                       now - in_flight_.back().began < kOneItem;
  const uint64_t reached = written_ + (rest_.size() - rest_at_) + size;
  if (adjoins) {
    in_flight_.back().slice.end_at = slice.end_at;
    in_flight_.back().slice.records += slice.records;
    in_flight_.back().end = reached;
  } else {
    in_flight_.push_back({.slice = slice, .loss = {}, .end = reached, .began = now});
  }
  return send({begin, size});
}

bool SyslogDrain::send_loss() {
  const Loss loss = take_own_loss();
  if (!loss.records) return true;
  InFlight item{
      .slice = {}, .loss = frames_.loss(loss.records, loss.since, wall_now()), .end = 0, .began = mono_now()};
  item.end = written_ + item.loss.size();
  if (in_flight_.empty()) last_progress_ = item.began;
  in_flight_.push_back(item);
  return send(item.loss);
}

/// Only with an empty rest_. False: the socket took less, or broke; the rest waits in the drain.
bool SyslogDrain::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      broken(std::string("send: ") + std::strerror(errno));
      return false;
    }
    if (n <= 0 || size_t(n) < bytes.size()) {
      const size_t took = size_t(std::max<ssize_t>(n, 0));
      written_ += took;
      rest_.assign(bytes.substr(took));
      rest_at_ = 0;
      wait_writable();
      return false;
    }
    written_ += size_t(n);
    bytes = {};
  }
  return true;
}

bool SyslogDrain::flush_rest() {
  while (rest_at_ < rest_.size()) {
    const ssize_t n = ::send(socket_.native_handle(), rest_.data() + rest_at_, rest_.size() - rest_at_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_writable();
      return false;
    }
    if (n < 0) {
      broken(std::string("send: ") + std::strerror(errno));
      return false;
    }
    rest_at_ += size_t(n);
    written_ += size_t(n);
  }
  rest_ = {};
  rest_at_ = 0;
  return true;
}

void SyslogDrain::wait_writable() {
  blocked_ = true;
  cursor_.set_waiting(true);
  check_later();
  socket_.async_wait(
      asio::socket_base::wait_write,
      [self = std::static_pointer_cast<SyslogDrain>(shared_from_this()), n = connection_](error_code ec) {
        if (ec || n != self->connection_ || self->stopped()) return;
        self->blocked_ = false;
        self->cursor_.set_waiting(false);
        self->pump();
      });
}

// ---- acknowledgements ------------------------------------------------------------------------------------

/// Whether anything is still in flight afterwards.
bool SyslogDrain::settle_acknowledged() {
  if (in_flight_.empty()) return false;
  int queued = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &queued) == 0) {
    const uint64_t now = written_ - std::min<uint64_t>(written_, uint64_t(queued));
    if (now > acknowledged_) {
      acknowledged_ = now;
      last_progress_ = mono_now();
    }
  }
  uint64_t records = 0;
  bool any = false;
  while (!in_flight_.empty() && in_flight_.front().end <= acknowledged_) {
    records += in_flight_.front().slice.records;
    in_flight_.pop_front();
    any = true;
  }
  if (any) delivered(records, oldest_in_flight());
  return !in_flight_.empty();
}

/// On a broken connection: the frames of `front` that are acknowledged whole are delivered, the others come
/// again.
void SyslogDrain::settle_partly(InFlight& front, uint64_t acknowledged) {
  uint64_t size = front.loss.size();
  for (const Record record : front.slice) size += frames_.size(record);
  uint64_t at = front.end - size, records = 0;
  Slice& slice = front.slice;
  for (const Record record : Slice(slice)) {
    at += frames_.size(record);
    if (at > acknowledged) break;
    slice.begin_at += uint32_t(record.stride());
    --slice.records;
    ++slice.first.value;
    ++records;
  }
  if (records) delivered(records, oldest_in_flight());
}

Micros SyslogDrain::oldest_in_flight() const {
  for (const InFlight& item : in_flight_)
    if (!item.slice.empty()) return (*item.slice.begin()).arrival();
  return 0;
}

/// Somebody must look at the acknowledgements while nothing else happens.
void SyslogDrain::check_later() {
  if (in_flight_.empty() || checking_) return;
  checking_ = true;
  check_timer_.expires_after(mono_now() - last_progress_ < kQuiet ? kCheckSoon : kCheckSeldom);
  check_timer_.async_wait(
      [self = std::static_pointer_cast<SyslogDrain>(shared_from_this()), n = connection_](error_code ec) {
        self->checking_ = false;
        if (ec || self->stopped() || self->link_ != Link::up) return;
        if (n != self->connection_) return self->check_later();
        self->settle_acknowledged();
        if (self->in_flight_.empty()) return;
        const auto quiet = mono_now() - self->last_progress_;
        if (quiet > kStalled) return self->broken("no acknowledgement for 15s", true);
        self->check_later();
      });
}

}  // namespace tailrace
