#include "web/scrapes.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread_name.h"
#include "web/gzip.h"

namespace tailrace {
namespace {

constexpr size_t kPart = 32 * 1024;  // a packed part is sent once it has so much

HttpFields head_of(ExpositionFormat format, bool gzip) {
  HttpFields head;
  head.add("Content-Type", std::string(content_type(format)));
  if (gzip) head.add("Content-Encoding", "gzip");
  return head;
}

HttpResponse too_many() {
  HttpResponse response = http_error(503, "too many scrapes at once");
  response.headers.add("Retry-After", "5");
  return response;
}

}  // namespace

/// One scrape between the thread that makes it and the coroutine that sends it; both hold it. The timer, and
/// what is waited for, belong to the loop.
class Scrapes::Body : public std::enable_shared_from_this<Body> {
 public:
  Body(Scrapes& scrapes, Loop& loop) : scrapes_(scrapes), loop_(loop), wake_(loop.io) {}

  // ---- the thread ----

  /// Waits for room. False: nobody wants the rest.
  bool put(std::string part) {
    {
      std::unique_lock lock(scrapes_.mutex_);
      scrapes_.changed_.wait_until(lock, give_up_,
                                   [&] { return held_ < kHeld || over_ || scrapes_.stopping_; });
      if (held_ >= kHeld || scrapes_.stopping_) over_ = true;
      if (!over_) {
        held_ += part.size();
        parts_.push_back(std::move(part));
      }
      if (over_) return false;
    }
    wake();
    return true;
  }

  void end(bool whole) {
    {
      const std::lock_guard lock(scrapes_.mutex_);
      over_ = true;
      whole_ = whole;
    }
    wake();
  }

  // ---- the loop ----

  /// The next part; empty: there is none any more.
  asio::awaitable<std::string> next() {
    while (true) {
      if (std::optional<std::string> part = taken()) co_return std::move(*part);
      wake_.expires_at(Mono::max());
      co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
  bool whole() const {
    const std::lock_guard lock(scrapes_.mutex_);
    return whole_;
  }
  /// Nothing is sent any more.
  void leave() {
    const std::lock_guard lock(scrapes_.mutex_);
    over_ = true;
    scrapes_.changed_.notify_all();
  }

 private:
  std::optional<std::string> taken() {
    const std::lock_guard lock(scrapes_.mutex_);
    if (parts_.empty()) return over_ ? std::optional(std::string()) : std::nullopt;
    std::string part = std::move(parts_.front());
    parts_.pop_front();
    held_ -= part.size();
    scrapes_.changed_.notify_all();
    return part;
  }

  void wake() {
    asio::post(loop_.io, [self = shared_from_this()] { self->wake_.cancel(); });
  }

  Scrapes& scrapes_;
  Loop& loop_;
  asio::steady_timer wake_;
  const Mono give_up_ = mono_now() + kLongest;
  // Guarded by the mutex of all.
  std::deque<std::string> parts_;
  size_t held_ = 0;     // bytes in parts_
  bool over_ = false;   // nothing more comes
  bool whole_ = false;  // and that is because everything came
};

/// Lets the thread go when the coroutine ends, however that comes.
class Scrapes::Leave {
 public:
  explicit Leave(Body& body) : body_(body) {}
  ~Leave() { body_.leave(); }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  Body& body_;
};

Scrapes::Scrapes() {
  name_threads(threads_, kThreads, "scrape");
}

asio::awaitable<void> Scrapes::answer(HttpExchange& exchange, Write write) {
  const HttpFields& asked = exchange.request.headers;
  const ExpositionFormat format = format_for(asked.list("accept"));
  const bool gzip = accepts_gzip(asked.list("accept-encoding"));
  if (under_way_.fetch_add(1) >= kAtOnce) {
    --under_way_;
    co_await exchange.respond(too_many());
    co_return;
  }
  const auto body = std::make_shared<Body>(*this, exchange.loop());
  const Leave leave(*body);
  asio::post(threads_, [this, body, format, gzip, write = std::move(write)] {
    make(*body, format, gzip, write);
    --under_way_;
  });
  HttpFields head = head_of(format, gzip);
  bool open = co_await exchange.begin_stream(200, std::move(head));
  while (open) {
    const std::string part = co_await body->next();
    if (part.empty()) break;
    open = co_await exchange.write(part);
  }
  if (open && !body->whole()) exchange.break_off();
}

void Scrapes::make(Body& body, ExpositionFormat format, bool gzip, const Write& write) {
  bool wanted = true;
  try {
    std::optional<GzipStream> packer;
    if (gzip) packer.emplace();
    std::string packed;
    const auto send = [&](std::string_view part) {
      if (!wanted) return;
      if (!packer) {
        wanted = body.put(std::string(part));
        return;
      }
      packer->add(part, packed);
      if (packed.size() >= kPart) wanted = body.put(std::exchange(packed, {}));
    };
    ExpositionWriter out(format, send);
    write(out);
    out.finish();
    if (wanted && packer) {
      packer->finish(packed);
      wanted = body.put(std::move(packed));
    }
  } catch (const std::exception& e) {
    log_error("scrape failed", std::string("type=") + typeid(e).name());
    wanted = false;
  }
  body.end(wanted);
}

void Scrapes::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  threads_.join();
}

}  // namespace tailrace
