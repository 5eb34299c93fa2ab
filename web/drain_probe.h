#pragma once
// Trying a drain's far end over the API.

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "drains/target.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// POST …/test: one at a time of each drain, and no two within a second. Thread-safe; shared with the tests
/// under way.
class DrainTests : public std::enable_shared_from_this<DrainTests> {
 public:
  explicit DrainTests(WebServices& services) : services_(services) {}

  /// `:c` and `:d` name the drain, whatever its state. The answer is the report, 200 however it went.
  asio::awaitable<void> run(HttpExchange& exchange);

 private:
  class Test;
  struct Begun {
    std::shared_ptr<Test> test;  // null: there can be none now
    HttpResponse refusal;
  };
  /// Judges the drain anew, which may take a while: on a thread that may block.
  Begun begin(const HttpRequest& request);
  void end(uint64_t drain);
  static asio::awaitable<void> run(std::shared_ptr<DrainTests> self, HttpExchange& exchange);

  WebServices& services_;
  std::mutex mutex_;
  std::map<uint64_t, Mono> tests_;  // by drain: until when no other may begin; guarded by mutex_
};

}  // namespace tailrace
