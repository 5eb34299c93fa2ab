#pragma once
// Names of threads, as `top -H` and the system page show them.

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <latch>
#include <memory>
#include <string>

namespace tailrace {

/// Of the calling thread; what is beyond 15 bytes is cut off, as the kernel has no more.
void name_this_thread(std::string name);

/// `NAME 0`, `NAME 1`, …: all threads of a pool, of which there are `threads`. Each takes one task and waits
/// for the others, so nothing else may keep one of them for long.
inline void name_threads(boost::asio::thread_pool& pool, size_t threads, const std::string& name) {
  const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(threads));
  for (size_t i = 0; i < threads; ++i)
    boost::asio::post(pool, [all, one = name + " " + std::to_string(i)] {
      name_this_thread(one);
      all->arrive_and_wait();
    });
}

}  // namespace tailrace
