#pragma once
// Work of a loop that can wait: one piece of it for each round of everything else.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

namespace tailrace {

/// A thousand who catch up at once would stand before everybody else in a loop's queue. So they wait in line
/// here: the first goes on, and the next one only behind all that is ready by then. On a loop with nothing
/// else to do that costs nothing. Belongs to its loop.
class Turns {
 public:
  explicit Turns(boost::asio::io_context& io) : io_(io) {}

  /// Waits for its turn, or until somebody else cancels `timer`, which must not be in use and outlives it.
  boost::asio::awaitable<void> wait(boost::asio::steady_timer& timer) {
    timer.expires_at(boost::asio::steady_timer::time_point::max());
    waiting_.push_back(&timer);
    if (waiting_.size() == 1 && !posted_) post();
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    std::erase(waiting_, &timer);
  }

 private:
  void post() {
    posted_ = true;
    boost::asio::post(io_, [this] {
      posted_ = false;
      if (waiting_.empty()) return;
      waiting_.front()->cancel();
      waiting_.pop_front();
      if (!waiting_.empty()) post();
    });
  }

  boost::asio::io_context& io_;
  std::deque<boost::asio::steady_timer*> waiting_;
  bool posted_ = false;
};

}  // namespace tailrace
