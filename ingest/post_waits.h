#pragma once
// What the handler of a POST waits for: its appends and the keeping of its verdict, or its twin's verdict.

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <optional>

#include "base/loops.h"
#include "channels/log.h"
#include "ingest/intake.h"
#include "ingest/repeats.h"

namespace tailrace {

/// What a handler's coroutine waits for may come from any thread, once per expect(). Shared by the two: a
/// coroutine may end before all has come (an exception, the end of its loop), and what is still out must find
/// this.
class Wait : public std::enable_shared_from_this<Wait> {
 public:
  explicit Wait(Loop& loop) : loop_(loop), timer_(loop.io, asio::steady_timer::time_point::max()) {}
  virtual ~Wait() = default;

  void expect() { left_.fetch_add(1, std::memory_order_relaxed); }
  void came() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // the coroutine waits already
      asio::post(loop_.io, [self = shared_from_this()] { self->timer_.cancel(); });
  }
  asio::awaitable<void> all() {
    // Memory answers before we come here; a disk does not.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1)
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

 private:
  Loop& loop_;
  asio::steady_timer timer_;
  std::atomic<uint32_t> left_{1};  // what is expected, and the coroutine
};

/// One POST's appends, however many flushes they take, and whether its verdict is kept.
class Appends final : public Wait, public Intake::Done {
 public:
  using Wait::Wait;

  void refused() override { refused_.store(true, std::memory_order_release); }
  void flushed(const Intake::Outcome& outcome) override {
    {
      const std::lock_guard lock(mutex_);
      verdict_.accepted += outcome.accepted;
      verdict_.rejected += outcome.rejected;
    }
    came();
  }

  /// Behind the last flush: has the store keep what is to be answered if no append fails.
  void remember(Store& store, PostVerdict post) {
    auto self = std::static_pointer_cast<Appends>(shared_from_this());
    expect();
    auto* const waiter = new Remembered(self);
    store.remember(std::move(post), {self, &refused_}, *waiter);
  }

  /// Once nothing is out any more.
  asio::awaitable<Verdict> verdict() {
    co_await all();
    co_return verdict_;
  }
  /// Then: a restart would not know this POST.
  bool forgotten() const { return forgotten_; }

 private:
  /// Ends itself.
  class Remembered final : public AppendWaiter {
   public:
    explicit Remembered(std::shared_ptr<Appends> appends) : appends_(std::move(appends)) {}
    void appended(Result<Position> kept) override {
      const auto appends = std::move(appends_);
      delete this;
      appends->forgotten_ = kept.has_error();
      appends->came();
    }

   private:
    std::shared_ptr<Appends> appends_;
  };

  std::atomic<bool> refused_{false};  // the store looks at it as well
  bool forgotten_ = false;            // written once, before came()
  std::mutex mutex_;
  Verdict verdict_;  // guarded by mutex_ until all have come
};

/// A POST that came again, and waits for what becomes of the first.
class Again final : public Repeats::Waiter {
 public:
  Again(Loop& loop, Repeats& repeats, const PostKey& key)
      : repeats_(repeats), key_(key), wait_(std::make_shared<Wait>(loop)) {
    wait_->expect();
  }
  ~Again() override { repeats_.withdraw(key_, *this); }

  void judged(const Verdict* verdict) override {
    if (verdict) verdict_ = *verdict;
    wait_->came();
  }
  /// None: the first one ended without a verdict.
  asio::awaitable<std::optional<Verdict>> verdict() {
    co_await wait_->all();
    co_return verdict_;
  }

 private:
  Repeats& repeats_;
  const PostKey key_;
  const std::shared_ptr<Wait> wait_;
  std::optional<Verdict> verdict_;
};

}  // namespace tailrace
