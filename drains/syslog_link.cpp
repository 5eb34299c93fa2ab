#include "drains/syslog_link.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>

#include "base/ids.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr int kSendBuffer = 256 * 1024;
constexpr int kReadsAtOnce = 4;                   // of what the far end says
constexpr auto kQuiet = std::chrono::seconds(1);  // then it is looked at less often
constexpr auto kCheckSoon = std::chrono::milliseconds(20), kCheckSeldom = std::chrono::milliseconds(250);
// A peer that vanished without a word is found within a minute, idle or not.
constexpr int kQuietSeconds = 30, kProbeSeconds = 10, kProbes = 3, kUnacknowledgedMs = 45'000;

void prepare(tcp::socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int option, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, kQuietSeconds);
  set(TCP_KEEPINTVL, kProbeSeconds);
  set(TCP_KEEPCNT, kProbes);
  set(TCP_USER_TIMEOUT, kUnacknowledgedMs);
}

NetFailure stopped() {
  return {NetErrc::stopped, "stopped"};
}

}  // namespace

SyslogLink::SyslogLink(Loop& loop, tcp::socket socket, const SyslogLimits& limits)
    : loop_(loop),
      limits_(limits),
      socket_(std::move(socket)),
      check_timer_(loop.io),
      age_timer_(loop.io),
      opened_at_(mono_now()),
      last_progress_(opened_at_) {
  prepare(socket_);
}

// ---- making it -------------------------------------------------------------------------------------------

asio::awaitable<NetResult<std::shared_ptr<SyslogLink>>> SyslogLink::open(
    Loop& loop, Connector& connector, ClientTls tls, To to, TlsReturn back, SyslogLimits limits,
    std::shared_ptr<ConnectCancel> cancel, ConnectSteps* steps) {
  auto socket = co_await connector.connect(loop, to.host, to.port, cancel, steps);
  if (!socket) co_return socket.error();
  if (cancel->cancelled()) co_return stopped();
  std::shared_ptr<SyslogLink> link(new SyslogLink(loop, std::move(*socket), limits));
  if (!to.tls) co_return link;
  ConnectSteps unwatched;
  StepWatch shaking((steps ? steps : &unwatched)->handshake);
  SslPtr ssl = tls.towards(to.host, ClientTls::Speaks::syslog, back);
  if (!ssl) co_return NetFailure(NetErrc::handshake, "tls: no memory");
  const NetFailure failed = co_await link->shake_hands(std::move(ssl), cancel);
  if (failed.code != NetErrc::ok) {
    link->close();
    shaking.done(false, failed.text.starts_with("tls: ") ? failed.text.substr(5) : failed.text);
    co_return failed;
  }
  shaking.done(true, link->tls_.described());
  co_return link;
}

asio::awaitable<NetFailure> SyslogLink::shake_hands(SslPtr ssl, std::shared_ptr<ConnectCancel> cancel) {
  tls_ = TlsSocket(std::move(ssl), socket_.native_handle());
  const Io shaken = co_await until(mono_now() + limits_.handshake, false, cancel);
  if (cancel->cancelled()) co_return stopped();
  if (shaken == Io::again)
    co_return NetFailure(NetErrc::handshake, "tls: no handshake within " + duration_text(limits_.handshake));
  if (shaken != Io::ok) co_return tls_failure(tls_);
  if (!tls_.judged_later()) co_return NetFailure();
  // What is sent now would be acknowledged, and thrown away if our certificate is refused.
  const Io judged = co_await until(mono_now() + limits_.verdict, true, cancel);
  if (cancel->cancelled()) co_return stopped();
  if (judged != Io::end) co_return NetFailure();
  if (!tls_.error().empty()) co_return tls_failure(tls_);
  co_return NetFailure(NetErrc::handshake, "tls: closed by the far end");
}

/// The handshake, or the verdict behind it, as far as it comes until `end`.
asio::awaitable<Io> SyslogLink::until(Mono end, bool for_verdict, std::shared_ptr<ConnectCancel> cancel) {
  const auto end_wait = [self = shared_from_this()] {
    error_code ignored;
    self->socket_.cancel(ignored);
  };
  age_timer_.expires_at(end);
  age_timer_.async_wait([end_wait](const error_code& ec) {
    if (!ec) end_wait();
  });
  cancel->on_cancel(end_wait);
  const uint64_t received = tls_.received();
  Io done = for_verdict ? verdict(received) : tls_.handshake();
  while (done == Io::again && !cancel->cancelled() && mono_now() < end) {
    const auto wanted = tls_.wants_write() ? tcp::socket::wait_write : tcp::socket::wait_read;
    co_await socket_.async_wait(wanted, asio::as_tuple(asio::use_awaitable));
    done = for_verdict ? verdict(received) : tls_.handshake();
  }
  age_timer_.cancel();
  cancel->on_cancel(nullptr);
  co_return done;
}

/// `ok`: the far end has said something, and it was no refusal.
Io SyslogLink::verdict(uint64_t received) {
  char bytes[4096];
  size_t count = 0;
  const Io got = tls_.read_some(bytes, count);
  return got == Io::again && tls_.received() > received ? Io::ok : got;
}

void SyslogLink::begin(SyslogLinkOwner& owner) {
  owner_ = &owner;
  opened_at_ = last_progress_ = mono_now();
  const auto part = [](SyslogLimits::Milliseconds whole) {
    return SyslogLimits::Milliseconds(int64_t(double(whole.count()) * random_unit() / 4));
  };
  idle_ = limits_.idle + part(limits_.idle);
  retire_at_ = opened_at_ + limits_.age - part(limits_.age);
  watch_age();
  if (tls_)
    // What came with the handshake's end is announced by no socket.
    asio::post(loop_.io, [self = shared_from_this()] { self->far_end_said_something(); });
  else
    watch_far_end();
}

// ---- sending ---------------------------------------------------------------------------------------------

SyslogLink::Sent SyslogLink::send(std::string_view bytes) {
  if (acknowledged_ == given_) last_progress_ = mono_now();
  given_ += bytes.size();
  const Sent sent = push(bytes);
  if (sent == Sent::some) {
    rest_.assign(bytes);
    rest_at_ = 0;
    wait_writable();
  }
  return sent;
}

/// Gives the kernel what it takes, from the front of `bytes`.
SyslogLink::Sent SyslogLink::push(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (tls_) {
      size_t count = 0;
      const Io written = tls_.write_some(bytes, count);
      if (written == Io::again) return Sent::some;
      if (written != Io::ok) {
        broken_by(errno);
        return Sent::broken;
      }
      written_ += count;
      marks_.push_back({written_, tls_.sent()});
      bytes.remove_prefix(count);
      continue;
    }
    const ssize_t n =
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
      broken_by(errno);
      return Sent::broken;
    }
    const size_t took = size_t(std::max<ssize_t>(n, 0));
    written_ += took;
    bytes.remove_prefix(took);
    if (!bytes.empty()) return Sent::some;
  }
  return Sent::all;
}

void SyslogLink::wait_writable() {
  check_later();
  socket_.async_wait(tls_ && tls_.write_wants_read() ? tcp::socket::wait_read : tcp::socket::wait_write,
                     [self = shared_from_this()](const error_code&) {
                       if (!self->owner_) return;
                       std::string_view bytes = std::string_view(self->rest_).substr(self->rest_at_);
                       const Sent sent = self->push(bytes);
                       self->rest_at_ = self->rest_.size() - bytes.size();
                       if (sent == Sent::broken) return self->ended(self->failure_);
                       if (sent == Sent::some) return self->wait_writable();
                       self->rest_ = {};
                       self->rest_at_ = 0;
                       self->owner_->link_free();
                     });
}

// ---- acknowledgements ------------------------------------------------------------------------------------

uint64_t SyslogLink::acknowledged() {
  if (acknowledged_ == given_) return acknowledged_;
  int queued = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &queued) != 0) return acknowledged_;
  const uint64_t sent = tls_ ? tls_.sent() : written_;
  const uint64_t arrived = sent - std::min<uint64_t>(sent, uint64_t(queued));
  if (arrived <= wire_acknowledged_) return acknowledged_;
  wire_acknowledged_ = arrived;
  last_progress_ = mono_now();
  if (!tls_) return acknowledged_ = arrived;
  for (; !marks_.empty() && marks_.front().wire <= arrived; marks_.pop_front())
    acknowledged_ = marks_.front().given;
  return acknowledged_;
}

/// Somebody must look at the acknowledgements while nothing else happens.
void SyslogLink::check_later() {
  if (acknowledged_ == given_ || checking_ || !owner_) return;
  checking_ = true;
  check_timer_.expires_after(mono_now() - last_progress_ < kQuiet ? kCheckSoon : kCheckSeldom);
  check_timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    self->checking_ = false;
    if (ec || !self->owner_) return;
    const uint64_t before = self->acknowledged_;
    if (self->acknowledged() > before) self->owner_->link_acknowledged();
    if (!self->owner_ || self->acknowledged_ == self->given_) return;
    if (mono_now() - self->last_progress_ > self->limits_.stalled)
      return self->ended(
          {NetErrc::timeout, "no acknowledgement for " + duration_text(self->limits_.stalled)});
    self->check_later();
  });
}

// ---- the far end -----------------------------------------------------------------------------------------

void SyslogLink::watch_far_end() {
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code&) { self->far_end_said_something(); });
}

/// A syslog receiver says nothing, but TLS does; that it closed is seen at once.
void SyslogLink::far_end_said_something() {
  if (!owner_) return;
  char bytes[4096];
  for (int i = 0; i < kReadsAtOnce; ++i) {
    size_t count = 0;
    if (tls_) {
      const Io got = tls_.read_some(bytes, count);
      if (got == Io::again) return watch_far_end();
      if (got == Io::ok) continue;
      if (!tls_.error().empty()) return ended(tls_failure(tls_));
      return ended({NetErrc::closed, "closed by the far end"});
    }
    const ssize_t got = ::recv(socket_.native_handle(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return watch_far_end();
    if (got == 0) return ended({NetErrc::closed, "closed by the far end"});
    broken_by(errno);
    return ended(failure_);
  }
  // Others have their turn, however much it says.
  asio::post(loop_.io, [self = shared_from_this()] { self->far_end_said_something(); });
}

// ---- the end ---------------------------------------------------------------------------------------------

/// The timer is set once per idle time, however much is sent.
void SyslogLink::watch_age() {
  const Mono now = mono_now();
  Mono next = last_progress_ + idle_;
  if (next <= now) next = now + idle_;  // something is under way, which has a rule of its own
  age_timer_.expires_at(std::min(next, retire_at_));
  age_timer_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (ec || !self->owner_) return;
    const Mono at = mono_now();
    const bool idle = self->acknowledged_ == self->given_ && at >= self->last_progress_ + self->idle_;
    if (idle || at >= self->retire_at_) return self->owner_->link_due();
    self->watch_age();
  });
}

void SyslogLink::broken_by(int error) {
  if (tls_ && !tls_.error().empty()) {
    failure_ = tls_failure(tls_);
  } else if (error == ECONNRESET) {
    failure_ = {NetErrc::closed, "reset by the far end"};
  } else if (error == EPIPE || tls_) {
    failure_ = {NetErrc::closed, "closed by the far end"};
  } else {
    failure_ = {NetErrc::closed, std::string("send: ") + std::strerror(error)};
  }
}

void SyslogLink::ended(NetFailure why) {
  failure_ = std::move(why);
  if (SyslogLinkOwner* const owner = std::exchange(owner_, nullptr)) owner->link_ended(failure_);
}

void SyslogLink::close() {
  owner_ = nullptr;
  check_timer_.cancel();
  age_timer_.cancel();
  error_code ignored;
  if (!socket_.is_open()) return;
  // A close_notify behind half a record would be no truth.
  if (tls_ && (!tls_.established() || (failure_.code == NetErrc::ok && written_ == given_))) tls_.goodbye();
  socket_.close(ignored);
}

}  // namespace tailrace
