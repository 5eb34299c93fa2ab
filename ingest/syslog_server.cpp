#include "ingest/syslog_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <unordered_set>

#include "base/log.h"
#include "ingest/frame_scanner.h"

namespace tailrace {
namespace {

constexpr size_t kRead = 64 * 1024;        // larger reads starve the drains
constexpr size_t kHeldForFree = 4 * 1024;  // a begun frame up to here counts in no budget
constexpr auto kYield = std::chrono::milliseconds(1);

}  // namespace

struct SyslogServer::PerLoop {
  PerLoop(Loop& l, Intake& i, IngestStats& s, Budget& h) : loop(l), intake(i), stats(s), held(h) {}

  Loop& loop;
  Intake& intake;
  IngestStats& stats;
  Budget& held;
  std::vector<char> buffer = std::vector<char>(kRead + kHeldForFree);
  std::unordered_set<Connection*> connections;  // the loop's thread
  std::atomic<size_t> open{0};
  OncePerSecond unknown_token;
};

/// One sender. Lives on one loop, by the handlers that hold it, until its peer closes, breaks a bound, or
/// stop(). Between reads it keeps only the bytes of a frame that is not whole.
class SyslogServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(PerLoop& per_loop, asio::ip::tcp::socket socket, std::string token_id)
      : here_(per_loop),
        connected_(per_loop.loop),
        socket_(std::move(socket)),
        token_id_(std::move(token_id)) {
    here_.connections.insert(this);
    here_.open.fetch_add(1, std::memory_order_relaxed);
  }
  ~Connection() {
    here_.connections.erase(this);
    here_.open.fetch_sub(1, std::memory_order_relaxed);
    here_.held.give(taken_);
  }

  void start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    wait();
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

 private:
  void wait() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code ec) {
      if (!ec) self->readable();
    });
  }

  void readable() {
    std::vector<char>& buffer = here_.buffer;
    // The rest of the last read stands before the new bytes; a long frame is gathered where it is.
    const bool gathering = rest_.size() > kHeldForFree;
    char* at;
    if (gathering) {
      const size_t before = rest_.size();
      rest_.resize(before + kRead);
      at = rest_.data() + before;
    } else {
      std::memcpy(buffer.data(), rest_.data(), rest_.size());
      at = buffer.data() + rest_.size();
    }
    const ssize_t n = ::recv(socket_.native_handle(), at, kRead, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (gathering) rest_.resize(rest_.size() - kRead);
      return wait();
    }
    if (gathering) rest_.resize(rest_.size() - kRead + size_t(std::max<ssize_t>(n, 0)));
    if (n <= 0) return ended();
    if (gathering) {
      // Not whole yet: there is nothing to scan for.
      if (rest_.size() < needed_) return account() ? wait() : void();
      const std::string whole = std::exchange(rest_, {});
      take(whole);
    } else {
      const std::string_view bytes(buffer.data(), rest_.size() + size_t(n));
      rest_.clear();
      take(bytes);
    }
  }

  /// Takes what is whole, keeps the rest, and reads on.
  void take(std::string_view bytes) {
    const Micros arrival = wall_now();
    const TokenPtr token = token_id_.empty() ? nullptr : here_.intake.token(token_id_);
    const bool nobody = !token_id_.empty() && !token;
    Rejections rejections;
    for (;;) {
      const Scanned scanned = scanner_.next(bytes);
      if (scanned.kind == Scanned::Kind::more) {
        // A line may end with any byte: look again after each read, but not at the same bytes for each of
        // them.
        needed_ = scanned.needed ? scanned.needed : bytes.size() + 1;
        break;
      }
      if (scanned.kind == Scanned::Kind::frame) {
        if (nobody) rejections.add(RejectReason::unknown_token);
        if (nobody || here_.intake.take(scanned.bytes, token, arrival)) tell_unknown_token();
      } else if (scanned.kind == Scanned::Kind::rejected) {
        rejections.add(scanned.reason);
      }
      bytes.remove_prefix(scanned.consumed);
    }
    here_.intake.flush(Protocol::tcp, arrival, rejections, nullptr);
    rest_.assign(bytes);
    if (!account()) return;
    here_.intake.crowded() ? yield() : wait();
  }

  /// Keeps the bytes held for a begun frame within the process's bound. False: there was no room, and it is
  /// closed.
  bool account() {
    const uint64_t now = rest_.size() > kHeldForFree ? rest_.capacity() : 0;
    if (now > taken_ && !here_.held.take(now - taken_)) {
      Rejections rejections;
      rejections.add(RejectReason::no_room);
      here_.stats.rejected(Protocol::tcp, rejections);
      rest_ = {};
      close();
      return false;
    }
    if (now < taken_) here_.held.give(taken_ - now);
    taken_ = now;
    return true;
  }

  /// Lets lagging drains run before it reads more: at full speed a channel's bound is some ten milliseconds.
  void yield() {
    timer_.expires_after(kYield);
    timer_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec) self->wait();
    });
  }

  void ended() {
    if (!rest_.empty()) {
      Rejections rejections;
      rejections.add(RejectReason::truncated);
      here_.stats.rejected(Protocol::tcp, rejections);
    }
    rest_.clear();
    close();
  }

  void tell_unknown_token() {
    if (const uint64_t n = here_.unknown_token.due())
      log_warn("records without a usable token were rejected", "protocol=tcp records=" + std::to_string(n));
  }

  PerLoop& here_;
  Connected connected_;
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_{here_.loop.io};
  const std::string token_id_;  // the listener's; empty: each record names its own
  StreamScanner scanner_;
  std::string rest_;    // of a frame that is not whole
  size_t needed_ = 0;   // for another look at rest_
  uint64_t taken_ = 0;  // from the budget
};

SyslogServer::SyslogServer(EventLoops& loops, std::vector<std::unique_ptr<Intake>>& intakes,
                           IngestStats& stats, Budget& held) {
  for (size_t i = 0; i < loops.size(); ++i)
    per_loop_.push_back(std::make_unique<PerLoop>(loops[i], *intakes[i], stats, held));
}

SyslogServer::~SyslogServer() = default;

void SyslogServer::serve(Loop& loop, asio::ip::tcp::socket socket, std::string token_id) {
  std::make_shared<Connection>(*per_loop_[loop.index], std::move(socket), std::move(token_id))->start();
}

void SyslogServer::stop() {
  for (auto& here : per_loop_)
    asio::post(here->loop.io, [&here = *here] {
      for (Connection* connection : std::vector(here.connections.begin(), here.connections.end()))
        connection->close();
    });
}

size_t SyslogServer::open() const {
  size_t open = 0;
  for (const auto& here : per_loop_) open += here->open.load(std::memory_order_relaxed);
  return open;
}

}  // namespace tailrace
