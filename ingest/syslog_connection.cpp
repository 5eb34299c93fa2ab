#include "ingest/syslog_connection.h"

#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <cstring>

namespace tailrace {
namespace {

constexpr size_t kRead = 64 * 1024;        // larger reads starve the drains
constexpr size_t kHeldForFree = 4 * 1024;  // a begun frame up to here counts in no budget
constexpr int kLastReads = 16;             // 1 MiB of what had arrived when the process ends
constexpr auto kHandshake = std::chrono::seconds(10);
constexpr auto kWholeFrame = std::chrono::seconds(60);
constexpr auto kLookForRoom = std::chrono::milliseconds(100);
constexpr auto kSweep = std::chrono::seconds(10);

}  // namespace

SyslogLoop::SyslogLoop(Loop& l, Intake& i, const Store& r, IngestStats& s, Budget& h, HandshakeCounts& c)
    : loop(l),
      intake(i),
      store(r),
      stats(s),
      held(h),
      handshakes(c),
      buffer(kRead + kHeldForFree),
      sweep(l.io) {}

void SyslogLoop::sweep_later() {
  if (std::exchange(sweeping, true)) return;
  sweep.expires_after(kSweep);
  sweep.async_wait([this](error_code ec) {
    sweeping = false;
    if (ec) return;
    const Mono now = mono_now();
    for (SyslogConnection* connection : std::vector(connections.begin(), connections.end()))
      connection->give_up_if_overdue(now);
    if (!connections.empty()) sweep_later();
  });
}

SyslogConnection::SyslogConnection(SyslogLoop& here, asio::ip::tcp::socket socket, std::string token_id,
                                   SslPtr tls)
    : here_(here),
      connected_(here.loop),
      socket_(std::move(socket)),
      tls_(tls ? TlsSocket(std::move(tls), socket_.native_handle()) : TlsSocket()),
      protocol_(tls_ ? Protocol::tls : Protocol::tcp),
      timer_(here.loop.io),
      token_id_(std::move(token_id)) {
  here_.connections.insert(this);
  here_.open.fetch_add(1, std::memory_order_relaxed);
}

SyslogConnection::~SyslogConnection() {
  here_.connections.erase(this);
  here_.open.fetch_sub(1, std::memory_order_relaxed);
  here_.held.give(accounted_);
}

void SyslogConnection::start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  here_.sweep_later();
  if (!tls_) return wait();
  timer_.expires_after(kHandshake);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (ec || self->tls_.established()) return;
    self->here_.handshakes.add(Handshake::deadline);
    self->close();
  });
  go_on();
}

void SyslogConnection::finish() {
  finishing_ = true;
  if ((!tls_ || tls_.established()) && here_.store.has_room())
    for (int reads = 0; reads < kLastReads && socket_.is_open() && read_once(); ++reads) continue;
  if (socket_.is_open()) (void)ended();
}

void SyslogConnection::give_up_if_overdue(Mono now) {
  if (rest_.empty() || held_back_ || now - rest_since_ < kWholeFrame) return;
  (void)ended();
  (void)account();
}

void SyslogConnection::close() {
  if (!socket_.is_open()) return;
  error_code ignored;
  if (tls_) tls_.goodbye();
  socket_.close(ignored);
  timer_.cancel();
}

void SyslogConnection::wait() {
  auto go_on = [self = shared_from_this()](error_code ec) {
    if (!ec) self->go_on();
  };
  if (tls_ && !tls_.dry()) return asio::post(here_.loop.io, [go_on] { go_on({}); });
  socket_.async_wait(tls_.wants_write() ? asio::socket_base::wait_write : asio::socket_base::wait_read,
                     std::move(go_on));
}

void SyslogConnection::go_on() {
  if (!socket_.is_open()) return;
  if (tls_ && !tls_.established()) {
    if (shake_hands()) wait();
    return;
  }
  const bool room = here_.store.has_room();
  // What was begun before has its minute from now on: nobody could have completed it meanwhile.
  if (std::exchange(held_back_, !room)) rest_since_ = mono_now();
  if (!room) return pause(kLookForRoom);
  if (read_once()) here_.intake.crowded() ? pause(kYieldToDrains) : wait();
}

/// False: the connection has ended.
bool SyslogConnection::shake_hands() {
  const Io done = tls_.handshake();
  if (done == Io::again) return true;
  here_.handshakes.add(tls_.outcome());
  if (done == Io::ok)
    timer_.cancel();
  else
    close();
  return done == Io::ok;
}

/// Before it looks for more: until there is room, or lagging drains ran.
void SyslogConnection::pause(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec) self->wait();
  });
}

Io SyslogConnection::receive(std::span<char> into, size_t& count) {
  if (tls_) return tls_.read_some(into, count);
  const ssize_t n = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  count = n > 0 ? size_t(n) : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Io::again;
  return n > 0 ? Io::ok : Io::end;
}

/// Takes what is there, 64 KiB at most. False: the connection has ended, or, when finishing, nothing is left.
bool SyslogConnection::read_once() {
  // The rest of the last read stands before the new bytes; a long frame is gathered where it is.
  const size_t before = rest_.size();
  const bool gathering = before > kHeldForFree;
  if (gathering)
    rest_.resize(before + kRead);
  else
    std::memcpy(here_.buffer.data(), rest_.data(), before);
  char* const at = (gathering ? rest_.data() : here_.buffer.data()) + before;
  size_t n = 0;
  const Io got = receive({at, kRead}, n);
  if (gathering) rest_.resize(before + n);
  if (got == Io::again) return !finishing_;
  if (got == Io::end) return ended();
  if (before == 0) rest_since_ = mono_now();

  if (!gathering) {
    const std::string_view bytes(here_.buffer.data(), before + n);
    rest_.clear();
    return take(bytes);
  }
  // Only the new bytes can make it whole.
  const bool ends = needed_ ? rest_.size() >= needed_
                            : rest_.size() > kMaxFrame || std::memchr(rest_.data() + before, '\n', n);
  if (!ends) return account();
  const std::string whole = std::exchange(rest_, {});
  return take(whole);
}

/// Takes what is whole and keeps the rest. False: there was no room for that.
bool SyslogConnection::take(std::string_view whole) {
  std::string_view bytes = whole;
  const Micros arrival = wall_now();
  const Source source{token_id_.empty() ? nullptr : here_.intake.token(token_id_), arrival};
  const bool nobody = !token_id_.empty() && !source.token;
  Rejections rejections;
  for (;;) {
    const Scanned scanned = scanner_.next(bytes);
    if (scanned.kind == Scanned::Kind::more) {
      needed_ = scanned.needed;
      break;
    }
    if (scanned.kind == Scanned::Kind::frame) {
      if (nobody)
        rejections.add(RejectReason::unknown_token);
      else
        here_.intake.take(scanned.bytes, source);
    } else if (scanned.kind == Scanned::Kind::rejected) {
      rejections.add(scanned.reason);
    }
    bytes.remove_prefix(scanned.consumed);
  }
  here_.intake.flush(protocol_, arrival, rejections, nullptr);
  if (bytes.size() < whole.size()) rest_since_ = mono_now();  // another frame is the one that is begun
  rest_.assign(bytes);
  return account();
}

/// Keeps the bytes held for a begun frame within the process's bound. False: there was no room, and it is
/// closed.
bool SyslogConnection::account() {
  const uint64_t now = rest_.size() > kHeldForFree ? rest_.capacity() : 0;
  if (now > accounted_ && !here_.held.take(now - accounted_)) {
    reject(RejectReason::no_room);
    rest_ = {};
    close();
    return false;
  }
  if (now < accounted_) here_.held.give(accounted_ - now);
  accounted_ = now;
  return true;
}

bool SyslogConnection::ended() {
  if (!rest_.empty()) reject(RejectReason::truncated);
  rest_ = {};
  close();
  return false;
}

void SyslogConnection::reject(RejectReason reason) {
  Rejections rejections;
  rejections.add(reason);
  here_.stats.rejected(protocol_, rejections);
}

}  // namespace tailrace
