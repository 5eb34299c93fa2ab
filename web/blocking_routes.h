#pragma once
// Routes whose answers may block: each is made on the blocking pool by a method of one object.

#include <memory>
#include <utility>

#include "net/http.h"
#include "net/http_exchange.h"
#include "web/off_loop.h"

namespace tailrace {

/// Adds routes to a table; needed only while it does. What it adds shares `Answers`, whose methods are const
/// and may be called by several threads at once; the pool outlives the table.
template <class Answers>
class BlockingRoutes {
 public:
  using Method = HttpResponse (Answers::*)(const HttpRequest&) const;

  BlockingRoutes(HttpRoutes& routes, std::shared_ptr<const Answers> answers, boost::asio::thread_pool& pool,
                 const HttpGate& gate)
      : routes_(routes), answers_(std::move(answers)), pool_(pool), gate_(gate) {}

  void add(const char* method, const char* pattern, Method handler) {
    routes_.add(
        method, pattern,
        [answers = answers_, handler, &pool = pool_](HttpExchange& exchange) {
          return answer(answers, handler, pool, exchange);
        },
        gate_);
  }

 private:
  static boost::asio::awaitable<void> answer(std::shared_ptr<const Answers> answers, Method method,
                                             boost::asio::thread_pool& pool, HttpExchange& exchange) {
    HttpResponse response = co_await off_loop(pool, [&] { return ((*answers).*method)(exchange.request); });
    co_await exchange.respond(std::move(response));
  }

  HttpRoutes& routes_;
  const std::shared_ptr<const Answers> answers_;
  boost::asio::thread_pool& pool_;
  const HttpGate& gate_;
};

}  // namespace tailrace
