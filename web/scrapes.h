#pragma once
// Scrapes of the whole process: made on threads of their own, sent while they are made.

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "metrics/exposition.h"
#include "net/http.h"

namespace tailrace {

/// Thread-safe. Ten thousand channels are a scrape of a hundred megabytes, which nobody holds: a thread
/// writes it in parts, packs them if the scraper takes gzip, and waits while 1 MiB of them has not been sent.
/// So a slow scraper holds up a thread of this and nothing else, and is given up after kLongest: its answer
/// breaks off, so that half a scrape is never taken for a whole one.
///
/// Made before the loops, since coroutines on them refer to it; stop() comes before what `write` refers to
/// goes.
class Scrapes {
 public:
  using Write = std::function<void(ExpositionWriter&)>;

  static constexpr size_t kThreads = 2;  // scrapes that are made at once
  static constexpr size_t kAtOnce = 6;   // with those that wait for a thread; more are answered 503
  static constexpr size_t kHeld = 1 << 20;
  static constexpr std::chrono::seconds kLongest{30};

  Scrapes();
  ~Scrapes() { stop(); }

  /// Answers with what `write` writes, in the form that the request's Accept and Accept-Encoding name.
  /// `write` runs on another thread; it writes all there is but finish().
  asio::awaitable<void> answer(HttpExchange& exchange, Write write);

  /// Gives up what is under way and waits for its threads. Any thread but theirs; more than once is well.
  void stop();

 private:
  class Body;
  class Leave;
  void make(Body& body, ExpositionFormat format, bool gzip, const Write& write);

  std::mutex mutex_;  // of all bodies
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::atomic<size_t> under_way_{0};
  boost::asio::thread_pool threads_{kThreads};
};

}  // namespace tailrace
