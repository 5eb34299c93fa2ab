#include "net/stream.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tailrace {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

Stream::Stream(Loop& loop, tcp::socket socket) : loop_(loop), socket_(std::move(socket)), timer_(loop.io) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  // A reader of a quiet stream that vanished without a word is noticed all the same.
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

void Stream::deadline_in(std::chrono::milliseconds duration) {
  late_ = false;
  deadline_ = mono_now() + duration;
  if (deadline_ < armed_) arm();
}

void Stream::no_deadline() {
  late_ = false;
  deadline_ = Mono::max();
}

void Stream::arm() {
  armed_ = deadline_;
  timer_.expires_at(armed_);
  timer_.async_wait([weak = weak_from_this()](const error_code& ec) {
    if (ec) return;
    if (const auto self = weak.lock()) self->tick();
  });
}

void Stream::tick() {
  armed_ = Mono::max();
  if (deadline_ == Mono::max()) return;
  if (mono_now() < deadline_) return arm();
  late_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::interrupt() {
  interrupted_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

Io Stream::wait_ended(const error_code& ec) const {
  if (interrupted_) return Io::stopped;
  if (late_) return Io::late;
  // Cancelled by unwatch() or for a wait's twin: whoever waits tries its call again.
  return !ec || ec == asio::error::operation_aborted ? Io::ok : Io::end;
}

/// TLS may have to write before it can read on.
tcp::socket::wait_type Stream::bytes_expected() const {
  return tls_.wants_write() ? tcp::socket::wait_write : tcp::socket::wait_read;
}

Io Stream::read_some(std::span<char> into, size_t& count) {
  if (tls_) return tls_.read_some(into, count);
  error_code ec;
  count = socket_.read_some(asio::buffer(into.data(), into.size()), ec);
  if (ec == asio::error::would_block || ec == asio::error::interrupted) return Io::again;
  return ec || count == 0 ? Io::end : Io::ok;
}

Io Stream::write_some(const Gather& buffers, size_t& count) {
  count = 0;
  if (tls_) {
    // Pieces are joined into whole records.
    thread_local std::array<char, 16 * 1024> record;
    while (true) {
      const size_t size = asio::buffer_copy(asio::buffer(record), buffers.from(count).pieces());
      if (size == 0) return Io::ok;
      size_t written = 0;
      const Io ended = tls_.write_some({record.data(), size}, written);
      if (ended != Io::ok) return ended == Io::again && count > 0 ? Io::ok : ended;
      count += written;
    }
  }
  error_code ec;
  count = socket_.write_some(buffers.pieces(), ec);
  if (ec == asio::error::would_block || ec == asio::error::interrupted) return Io::again;
  return ec ? Io::end : Io::ok;
}

asio::awaitable<Io> Stream::readable() {
  if (interrupted_) co_return Io::stopped;
  if (late_) co_return Io::late;
  if (tls_ && !tls_.dry()) {
    co_await asio::post(loop_.io, asio::use_awaitable);  // others have their turn all the same
    co_return wait_ended({});
  }
  const auto [ec] = co_await socket_.async_wait(bytes_expected(), kAwait);
  co_return wait_ended(ec);
}

asio::awaitable<Io> Stream::writable() {
  if (interrupted_) co_return Io::stopped;
  if (late_) co_return Io::late;
  const auto [ec] = co_await socket_.async_wait(tcp::socket::wait_write, kAwait);
  co_return wait_ended(ec);
}

asio::awaitable<Io> Stream::readable_or_writable() {
  watch([this] {
    error_code ignored;
    socket_.cancel(ignored);
    return false;
  });
  const Io ended = co_await writable();
  unwatch();
  co_return ended;
}

asio::awaitable<Io> Stream::write(Gather buffers, std::chrono::milliseconds stall) {
  bool waited = false;
  while (true) {
    size_t count = 0;
    const Io written = write_some(buffers, count);
    if (written == Io::end) co_return written;
    buffers.drop_front(count);
    if (buffers.empty()) break;
    if (written == Io::ok && count > 0) waited = false;
    if (written == Io::ok) continue;
    if (!waited) deadline_in(stall);
    waited = true;
    const Io ended = co_await writable();
    if (ended != Io::ok) co_return ended;
  }
  no_deadline();
  co_return Io::ok;
}

void Stream::watch(std::function<bool()> on_readable) {
  on_readable_ = std::move(on_readable);
  next_watch(++watch_);
}

void Stream::next_watch(uint64_t watch) {
  auto arrived = [weak = weak_from_this(), watch](const error_code& ec) {
    const auto self = weak.lock();
    if (!self || self->watch_ != watch || !self->socket_.is_open()) return;
    // A cancelled wait of this watch was meant for another one on the same socket: go on watching.
    if (ec == asio::error::operation_aborted) return self->next_watch(watch);
    const auto on_readable = self->on_readable_;  // it may end the watch, and itself with it
    if (on_readable() && self->watch_ == watch) self->next_watch(watch);
  };
  if (tls_ && !tls_.dry())
    asio::post(loop_.io, [arrived = std::move(arrived)] { arrived({}); });
  else
    socket_.async_wait(bytes_expected(), std::move(arrived));
}

void Stream::unwatch() {
  ++watch_;
  on_readable_ = nullptr;
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::shutdown_send() {
  error_code ignored;
  if (tls_) tls_.goodbye();
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

size_t Stream::unsent() const {
  int bytes = 0;
  const int fd = const_cast<asio::ip::tcp::socket&>(socket_).native_handle();
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 ? size_t(std::max(bytes, 0)) : 0;
}

void Stream::close() {
  ++watch_;
  on_readable_ = nullptr;
  error_code ignored;
  if (tls_ && socket_.is_open()) tls_.goodbye();
  timer_.cancel();
  socket_.close(ignored);
}

asio::awaitable<Io> Stream::handshake() {
  while (true) {
    const Io done = tls_.handshake();
    if (done != Io::again) co_return done;
    if (interrupted_) co_return Io::stopped;
    if (late_) co_return Io::late;
    const auto [ec] = co_await socket_.async_wait(bytes_expected(), kAwait);
    const Io waited = wait_ended(ec);
    if (waited != Io::ok) co_return waited;
  }
}

Gather::Gather(std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
  for (const std::string_view piece : {a, b, c, d})
    if (!piece.empty()) pieces_[end_++] = asio::const_buffer(piece.data(), piece.size());
}

void Gather::drop_front(size_t count) {
  while (first_ < end_ && count >= pieces_[first_].size()) count -= pieces_[first_++].size();
  if (count > 0) pieces_[first_] += count;
}

}  // namespace tailrace
