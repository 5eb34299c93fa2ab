#pragma once
// Work that may block, done on a thread of its own while a coroutine of a loop waits for it.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace tailrace {

template <class F>
boost::asio::awaitable<std::invoke_result_t<F>> call_in_coroutine(F work) {
  co_return work();
}

/// Runs `work` on `pool` and comes back to the coroutine's own executor with what it returned.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F>> off_loop(boost::asio::thread_pool& pool, F work) {
  co_return co_await boost::asio::co_spawn(pool, call_in_coroutine(std::move(work)),
                                           boost::asio::use_awaitable);
}

}  // namespace tailrace
