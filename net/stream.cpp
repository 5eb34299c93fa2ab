#include "net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

namespace tailrace {
namespace {

using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// OpenSSL's own socket BIO raises SIGPIPE; this one does not.
int bio_write(BIO* bio, const char* bytes, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t n =
      ::send(int(reinterpret_cast<intptr_t>(BIO_get_data(bio))), bytes, size_t(count), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return int(n);
}

int bio_read(BIO* bio, char* into, int count) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::recv(int(reinterpret_cast<intptr_t>(BIO_get_data(bio))), into, size_t(count), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return int(n);
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tailrace socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_control);
    return m;
  }();
  return method;
}

}  // namespace

Stream::Stream(Loop& loop, asio::ip::tcp::socket socket)
    : loop_(loop), socket_(std::move(socket)), timer_(loop.io) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  // A reader of a quiet stream that vanished without a word is noticed all the same.
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

Stream::~Stream() {
  SSL_free(tls_);
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

Io Stream::tls_ended(int result) const {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Io::again;
    default:
      return Io::end;
  }
}

Io Stream::read_some(std::span<char> into, size_t& count) {
  count = 0;
  if (tls_) {
    ERR_clear_error();
    const int n = SSL_read(tls_, into.data(), int(into.size()));
    if (n <= 0) return tls_ended(n);
    count = size_t(n);
    return Io::ok;
  }
  error_code ec;
  count = socket_.read_some(asio::buffer(into.data(), into.size()), ec);
  if (ec == asio::error::would_block || ec == asio::error::interrupted) return Io::again;
  return ec || count == 0 ? Io::end : Io::ok;
}

Io Stream::write_some(const Gather& buffers, size_t& count) {
  count = 0;
  if (tls_) {
    // Pieces are joined into whole records. After `again` the same bytes come again, as SSL_write wants them.
    thread_local std::array<char, 16 * 1024> record;
    while (true) {
      const size_t size = asio::buffer_copy(asio::buffer(record), buffers.from(count).pieces());
      if (size == 0) return Io::ok;
      ERR_clear_error();
      const int n = SSL_write(tls_, record.data(), int(size));
      if (n > 0) {
        count += size_t(n);
        continue;
      }
      const Io ended = tls_ended(n);
      return ended == Io::again && count > 0 ? Io::ok : ended;
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
  if (tls_ && SSL_pending(tls_) > 0) co_return Io::ok;
  const auto [ec] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kAwait);
  co_return wait_ended(ec);
}

asio::awaitable<Io> Stream::writable() {
  if (interrupted_) co_return Io::stopped;
  if (late_) co_return Io::late;
  const auto [ec] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, kAwait);
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
  socket_.async_wait(
      asio::ip::tcp::socket::wait_read, [weak = weak_from_this(), watch](const error_code& ec) {
        const auto self = weak.lock();
        if (!self || self->watch_ != watch || !self->socket_.is_open()) return;
        // A cancelled wait of this watch was meant for another one on the same socket: go on watching.
        if (ec == asio::error::operation_aborted) return self->next_watch(watch);
        const auto on_readable = self->on_readable_;  // it may end the watch, and itself with it
        if (on_readable() && self->watch_ == watch) self->next_watch(watch);
      });
}

void Stream::unwatch() {
  ++watch_;
  on_readable_ = nullptr;
  error_code ignored;
  socket_.cancel(ignored);
}

void Stream::shutdown_send() {
  error_code ignored;
  if (tls_) SSL_shutdown(tls_);
  ERR_clear_error();
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Stream::close() {
  ++watch_;
  on_readable_ = nullptr;
  error_code ignored;
  if (tls_ && SSL_is_init_finished(tls_)) {
    SSL_shutdown(tls_);  // one attempt to say that nothing was cut off; nobody waits for it
    ERR_clear_error();
  }
  timer_.cancel();
  socket_.close(ignored);
}

asio::awaitable<Io> Stream::handshake() {
  while (true) {
    ERR_clear_error();
    const int done = SSL_do_handshake(tls_);
    if (done == 1) co_return Io::ok;
    const int error = SSL_get_error(tls_, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      const long verdict = SSL_get_verify_result(tls_);
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        tls_error_ = "host name mismatch";
      else if (verdict != X509_V_OK)
        tls_error_ = X509_verify_cert_error_string(verdict);
      else
        tls_error_ = error == SSL_ERROR_SSL && reason ? reason : "closed by the far end";
      co_return Io::end;
    }
    Io waited;
    if (error == SSL_ERROR_WANT_READ)
      waited = co_await readable();
    else
      waited = co_await writable();
    if (waited != Io::ok) co_return waited;
  }
}

void Stream::use_tls(SSL* tls) {
  BIO* bio = BIO_new(socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(intptr_t(socket_.native_handle())));
  BIO_set_init(bio, 1);
  SSL_set_bio(tls, bio, bio);
  tls_ = tls;
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
