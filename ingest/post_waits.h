#pragma once
// What the handler of a POST waits for: its appends, or its twin's verdict.

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <mutex>
#include <optional>

#include "base/loops.h"
#include "ingest/intake.h"
#include "ingest/repeats.h"

namespace tailrace {

/// Lives in a handler's coroutine; whatever it waits for may come from any thread, once per expect().
class Wait {
 public:
  explicit Wait(Loop& loop) : loop_(loop), timer_(loop.io, asio::steady_timer::time_point::max()) {}

  void expect() { left_.fetch_add(1, std::memory_order_relaxed); }
  void came() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1)  // the coroutine waits already
      asio::post(loop_.io, [this] { timer_.cancel(); });
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

/// One POST's appends, however many flushes they take.
class Appends final : public Intake::Done {
 public:
  explicit Appends(Loop& loop) : wait_(loop) {}

  void expect() { wait_.expect(); }
  void flushed(const Intake::Outcome& outcome) override {
    {
      const std::lock_guard lock(mutex_);
      verdict_.accepted += outcome.accepted;
      verdict_.rejected += outcome.rejected;
    }
    wait_.came();
  }
  asio::awaitable<Verdict> verdict() {
    co_await wait_.all();
    co_return verdict_;
  }

 private:
  Wait wait_;
  std::mutex mutex_;
  Verdict verdict_;  // guarded by mutex_ until all have come
};

/// A POST that came again, and waits for what becomes of the first.
class Again final : public Repeats::Waiter {
 public:
  Again(Loop& loop, Repeats& repeats, const PostKey& key) : repeats_(repeats), key_(key), wait_(loop) {
    wait_.expect();
  }
  ~Again() override { repeats_.withdraw(key_, *this); }

  void judged(const Verdict* verdict) override {
    if (verdict) verdict_ = *verdict;
    wait_.came();
  }
  /// None: the first one ended without a verdict.
  asio::awaitable<std::optional<Verdict>> verdict() {
    co_await wait_.all();
    co_return verdict_;
  }

 private:
  Repeats& repeats_;
  const PostKey key_;
  Wait wait_;
  std::optional<Verdict> verdict_;
};

}  // namespace tailrace
