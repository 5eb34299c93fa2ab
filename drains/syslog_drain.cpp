#include "drains/syslog_drain.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace tailrace {
namespace {

constexpr size_t kScratch = 128 * 1024;  // holds the frames of a whole chunk
constexpr uint32_t kMostRead = kMaxChunk;
constexpr uint32_t kMostJudged = 16 * 1024;               // by a filter, before the time is looked at
constexpr int kRounds = 16;                               // reads before others have their turn,
constexpr uint32_t kMostSent = 4 * kMaxChunk;             // or bytes read,
constexpr auto kMostTime = std::chrono::milliseconds(1);  // or so much time
constexpr uint64_t kMostPinned = 1u << 20;                // in flight
constexpr size_t kMostItems = 4096;
constexpr auto kOneItem =
    std::chrono::milliseconds(20);           // what is sent so close together is settled together
constexpr uint64_t kKernelHolds = 8u << 20;  // of what its program does not read
constexpr int kMostDoublings = 5;            // of the time for which a doubt lasts

char* scratch() {
  thread_local const auto memory = std::make_unique_for_overwrite<char[]>(kScratch);
  return memory.get();
}

}  // namespace

SyslogDrain::SyslogDrain(Loop& loop, const DrainEntry& entry, JudgedTarget judged, DrainServices services)
    : Drain(loop, entry),
      target_(std::move(judged.target)),
      options_(std::move(judged.options)),
      services_(services),
      tls_(services.tls.with({options_.tls_ca, options_.tls_cert, options_.tls_key})),
      frames_(Frames::syslog(options_.format, entry.token)),
      timer_(loop.io) {}

void SyslogDrain::start() {
  if (!stopped()) run_task();
}

void SyslogDrain::shut() {
  ++waits_;
  timer_.cancel();
  if (connecting_) connecting_->cancel();
  if (link_) link_->close();
  link_.reset();
  in_flight_.clear();
  pinned_ = 0;
}

void SyslogDrain::turn() {
  if (state_ == State::waiting) {
    ++waits_;
    timer_.cancel();
    backoff_.reset();
    state_ = State::down;
  }
  if (!held()) return run_task();
  if (connecting_) connecting_->cancel();
  if (state_ == State::up) break_off();
  settle_down();
}

void SyslogDrain::run_task() {
  if (stopped()) return;
  tell_losses();
  if (held()) return;
  if (state_ == State::up && !blocked_) return pump();
  if (state_ != State::down) return;
  if (in_flight_.empty() && !has_something_to_send()) return;
  state_ = State::connecting;
  cursor_.set_waiting(true);
  asio::co_spawn(loop_.io, connect(std::static_pointer_cast<SyslogDrain>(shared_from_this())),
                 asio::detached);
}

/// Whether a connection is needed. What the filter does not want needs none.
bool SyslogDrain::has_something_to_send() {
  const Mono end = mono_now() + kMostTime;
  do {
    if (cursor_.park()) {
      // It will be needed when something comes; or a disk is waited for.
      if (!cursor_.lag().records) down_since_ = 0;
      return false;
    }
    if (!options_.wanted) return true;
    pick(read(), [this](const Slice& run) { keep_in_flight(run, 0); });
    if (!in_flight_.empty()) return true;
  } while (mono_now() < end);
  loop_.pass.again(*this);
  return false;
}

// ---- the connection --------------------------------------------------------------------------------------

asio::awaitable<void> SyslogDrain::connect(std::shared_ptr<SyslogDrain> self) {
  SyslogLink::To to;
  to.host = self->target_.host;
  to.port = self->target_.port;
  to.tls = self->target_.is_tls();
  self->connecting_ = std::make_shared<ConnectCancel>();
  auto link = co_await SyslogLink::open(self->loop_, self->services_.connector, self->tls_, std::move(to),
                                        self->back_, self->services_.syslog, self->connecting_, nullptr);
  self->connecting_.reset();
  if (self->stopped()) {
    if (link) (*link)->close();
    co_return;
  }
  self->state_ = State::down;
  if (self->held()) {
    if (link) (*link)->close();
  } else if (link) {
    self->connected(std::move(*link));
  } else if (link.error().code == NetErrc::stopped) {
    self->run_task();  // it was held for a moment
  } else {
    if (link.error().code != NetErrc::connect && link.error().code != NetErrc::resolve) self->back_.forget();
    self->try_later(link.error(), std::exchange(self->down_since_, 0));
  }
}

void SyslogDrain::connected(std::shared_ptr<SyslogLink> link) {
  link_ = std::move(link);
  state_ = State::up;
  blocked_ = full_ = retiring_ = false;
  down_since_ = 0;
  set_next_try(0);
  cursor_.set_waiting(false);
  link_->begin(*this);
  if (doubtful_) look_again();
  send_again();
  if (state_ == State::up && !blocked_) pump();
}

/// What the last connection did not have acknowledged goes first.
void SyslogDrain::send_again() {
  std::string all;
  for (InFlight& item : in_flight_) {
    all += item.loss;
    for (const Record record : item.slice) {
      const size_t at = all.size();
      all.resize(at + frames_.size(record));
      frames_.write(record, all.data() + at);
    }
    item.end = all.size();
  }
  if (!all.empty()) send(all);
}

void SyslogDrain::try_later(const NetFailure& why, Micros since) {
  state_ = State::waiting;
  settle_down();
  const auto wait = backoff_.next();
  set_next_try(wall_now() + std::chrono::duration_cast<std::chrono::microseconds>(wait).count());
  failed(why, since);
  timer_.expires_after(wait);
  timer_.async_wait(
      [self = std::static_pointer_cast<SyslogDrain>(shared_from_this()), n = ++waits_](const error_code& ec) {
        if (ec || n != self->waits_ || self->stopped()) return;
        self->state_ = State::down;
        self->run_task();
      });
}

void SyslogDrain::link_ended(const NetFailure& why) {
  const bool stalled = why.code == NetErrc::timeout;
  const Mono worked_until = stalled ? link_->last_progress() : mono_now();
  const bool worked =
      link_->acknowledged() > 0 && worked_until - link_->opened_at() >= services_.syslog.stable;
  // A stall began with the last acknowledgement, not when it was found.
  const auto trouble = stalled ? mono_now() - worked_until : Mono::duration::zero();
  break_off();
  down_since_ = wall_now() - std::chrono::duration_cast<std::chrono::microseconds>(trouble).count();
  if (worked) backoff_.reset();
  if (stalled) {
    doubtful_ = true;
    ++stalls_;
  }
  // One that worked until it was closed is made again at once, and only if that fails is it told.
  if (stalled || !worked || why.code != NetErrc::closed) return try_later(why, down_since_);
  run_task();
}

/// Ends the connection and settles what it had acknowledged; the rest comes again.
void SyslogDrain::break_off() {
  settle_acknowledged();
  settle_partly();
  ++waits_;
  timer_.cancel();
  link_->leave(back_);
  link_->close();
  link_.reset();
  cursor_.set_waiting(true);
  state_ = State::down;
}

void SyslogDrain::link_due() {
  retiring_ = true;
  settle_acknowledged();
  if (in_flight_.empty()) retire();
}

/// Ends the connection in order, with nothing in flight.
void SyslogDrain::retire() {
  if (!doubtful_) stalls_ = 0;
  break_off();
  run_task();
}

// ---- sending ---------------------------------------------------------------------------------------------

void SyslogDrain::pump() {
  settle_acknowledged();
  const Mono end = mono_now() + kMostTime;
  uint32_t taken = 0;
  for (int round = 0; round < kRounds && taken < kMostSent; ++round) {
    if (retiring_) return in_flight_.empty() ? retire() : link_->check_later();
    if (is_full()) return link_->check_later();
    if (!send_loss()) return;
    const Slice slice = read();
    if (slice.empty()) {
      if (!cursor_.park()) continue;
      return link_->check_later();
    }
    if (!send_frames(slice)) return;
    taken += slice.bytes();
    if (mono_now() >= end) break;
  }
  link_->check_later();
  loop_.pass.again(*this);
}

Slice SyslogDrain::read() {
  return cursor_.read(options_.wanted ? kMostJudged : kMostRead).slice;
}

/// Uses each run of records that are wanted; the others are left out.
template <class F>
void SyslogDrain::pick(const Slice& slice, F&& use) {
  if (!options_.wanted) return use(slice);
  Slice run = slice;
  run.end_at = run.begin_at;
  run.records = 0;
  uint64_t unwanted = 0;
  for (const Record record : slice) {
    const auto stride = uint32_t(record.stride());
    if (options_.wanted->wants(record)) {
      if (unwanted) leave_out(std::exchange(unwanted, 0), record.arrival());
      ++run.records;
      run.end_at += stride;
      continue;
    }
    if (run.records) use(run);
    ++unwanted;
    run.first = {run.past().value + 1};
    run.begin_at = run.end_at += stride;
    run.records = 0;
  }
  if (run.records) use(run);
  if (unwanted) leave_out(unwanted, 0);
}

bool SyslogDrain::send_frames(const Slice& slice) {
  char* const begin = scratch();
  char* end = begin;
  pick(slice, [&](const Slice& run) {
    for (const Record record : run) end = frames_.write(record, end);
    keep_in_flight(run, link_->given() + uint64_t(end - begin));
  });
  return end == begin || send({begin, size_t(end - begin)});
}

void SyslogDrain::give_back_losses() {
  for (const InFlight& item : in_flight_)
    if (item.told.records) give_back_own_loss(item.told);
}

bool SyslogDrain::send_loss() {
  const Loss loss = take_own_loss();
  if (!loss.records) return true;
  InFlight item{.slice = {},
                .loss = frames_.loss(loss.records, loss.since, wall_now()),
                .told = loss,
                .unwanted = 0,
                .end = 0,
                .began = mono_now()};
  item.end = link_->given() + item.loss.size();
  in_flight_.push_back(item);
  return send(item.loss);
}

/// False: the link has no room for more, or broke.
bool SyslogDrain::send(std::string_view bytes) {
  switch (link_->send(bytes)) {
    case SyslogLink::Sent::all:
      return true;
    case SyslogLink::Sent::some:
      blocked_ = true;
      cursor_.set_waiting(true);
      return false;
    case SyslogLink::Sent::broken: {
      const NetFailure why = link_->failure();
      link_ended(why);
      return false;
    }
  }
  return false;
}

void SyslogDrain::link_free() {
  blocked_ = full_ = false;
  cursor_.set_waiting(false);
  pump();
}

// ---- what is in flight -----------------------------------------------------------------------------------

/// What is sent close together is settled together.
void SyslogDrain::keep_in_flight(const Slice& run, uint64_t end) {
  const Mono now = mono_now();
  InFlight* const last = in_flight_.empty() ? nullptr : &in_flight_.back();
  const bool shares = last && last->slice.chunk == run.chunk;
  if (shares && last->slice.end_at == run.begin_at && !last->unwanted && now - last->began < kOneItem) {
    last->slice.end_at = run.end_at;
    last->slice.records += run.records;
    last->end = end;
    return;
  }
  if (!shares) pinned_ += run.chunk->capacity;
  in_flight_.push_back({.slice = run, .loss = {}, .told = {}, .unwanted = 0, .end = end, .began = now});
}

/// The next `records` are not wanted. `next`: arrival of the first behind them, if that is in flight.
void SyslogDrain::leave_out(uint64_t records, Micros next) {
  if (in_flight_.empty())
    filtered(records, next);
  else
    in_flight_.back().unwanted += records;
}

void SyslogDrain::forget_first() {
  const ChunkRef chunk = std::move(in_flight_.front().slice.chunk);
  in_flight_.pop_front();
  if (chunk && (in_flight_.empty() || in_flight_.front().slice.chunk != chunk)) pinned_ -= chunk->capacity;
}

bool SyslogDrain::holds_too_much() const {
  return pinned_ > std::min(kMostPinned, services_.batch_bytes()) || in_flight_.size() > kMostItems;
}

/// Whether some of it must arrive before more is read.
bool SyslogDrain::is_full() {
  if (holds_too_much()) settle_down();
  const bool full = holds_too_much();
  if (std::exchange(full_, full) != full) cursor_.set_waiting(full);
  return full;
}

/// Gives back chunks of which it needs little.
void SyslogDrain::settle_down() {
  for (auto begin = in_flight_.begin(); begin != in_flight_.end();) {
    uint64_t copies = 0;
    auto end = begin;
    for (; end != in_flight_.end() && end->slice.chunk == begin->slice.chunk; ++end)
      copies += Chunk::room_for(end->slice.bytes());
    const bool pays = begin->slice.chunk && copies * 2 <= begin->slice.chunk->capacity;
    for (; begin != end; ++begin)
      if (pays) begin->slice = compacted(begin->slice);
  }
  count_pinned();
}

void SyslogDrain::count_pinned() {
  pinned_ = 0;
  const Chunk* before = nullptr;
  for (const InFlight& item : in_flight_) {
    const Chunk* const chunk = item.slice.chunk ? &*item.slice.chunk : nullptr;
    if (chunk && chunk != before) pinned_ += chunk->capacity;
    before = chunk;
  }
}

// ---- acknowledgements ------------------------------------------------------------------------------------

void SyslogDrain::link_acknowledged() {
  settle_acknowledged();
  if (retiring_ && in_flight_.empty()) return retire();
  if (full_ && !blocked_ && !holds_too_much()) pump();
}

void SyslogDrain::settle_acknowledged() {
  if (in_flight_.empty()) return;
  const uint64_t acknowledged = link_->acknowledged();
  uint64_t wanted = 0, unwanted = 0;
  bool some = false;
  while (!in_flight_.empty() && in_flight_.front().end <= acknowledged) {
    wanted += in_flight_.front().slice.records;
    unwanted += in_flight_.front().unwanted;
    some = true;
    forget_first();
  }
  if (some) settle(wanted, unwanted);
}

uint64_t SyslogDrain::size_of(const InFlight& item) const {
  uint64_t size = item.loss.size();
  for (const Record record : item.slice) size += frames_.size(record);
  return size;
}

/// Of a connection that ends: the first frames in flight that are acknowledged whole are delivered, the
/// others come again.
void SyslogDrain::settle_partly() {
  if (in_flight_.empty()) return;
  InFlight& front = in_flight_.front();
  const uint64_t acknowledged = link_->acknowledged();
  uint64_t at = front.end - size_of(front), records = 0;
  Slice& slice = front.slice;
  for (const Record record : Slice(slice)) {
    at += frames_.size(record);
    if (at > acknowledged) break;
    slice.begin_at += uint32_t(record.stride());
    --slice.records;
    ++slice.first.value;
    ++records;
  }
  if (records) settle(records, 0);
}

/// The far end has acknowledged the oldest in flight, and `unwanted` lay among them.
void SyslogDrain::settle(uint64_t wanted, uint64_t unwanted) {
  if (doubtful_ && !reads_again()) {
    delivered_in_doubt(wanted, oldest_in_flight(), unwanted);
  } else {
    doubtful_ = false;
    delivered(wanted, oldest_in_flight(), unwanted);
  }
}

/// Whether a far end that stalled has shown that its program reads, and not its kernel alone.
bool SyslogDrain::reads_again() const {
  const uint64_t acknowledged = link_->acknowledged();
  if (acknowledged > kKernelHolds) return true;
  const auto doubt = services_.syslog.stalled * (1 << std::min(stalls_ - 1, kMostDoublings));
  return acknowledged == link_->given() && mono_now() - link_->opened_at() >= doubt;
}

/// A doubt ends although nothing more is sent.
void SyslogDrain::look_again() {
  timer_.expires_after(services_.syslog.stalled);
  timer_.async_wait(
      [self = std::static_pointer_cast<SyslogDrain>(shared_from_this()), n = ++waits_](const error_code& ec) {
        if (ec || n != self->waits_ || self->stopped()) return;
        self->settle_acknowledged();
        if (!self->doubtful_) return;
        if (!self->reads_again()) return self->look_again();
        self->settle(0, 0);
      });
}

Micros SyslogDrain::oldest_in_flight() const {
  for (const InFlight& item : in_flight_)
    if (!item.slice.empty()) return (*item.slice.begin()).arrival();
  return 0;
}

}  // namespace tailrace
