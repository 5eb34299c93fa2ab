#pragma once
// Trying a drain's far end over the API.

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "drains/target.h"
#include "net/http.h"
#include "web/services.h"

namespace tailrace {

/// Tests of drains, and of drains that somebody may add: one at a time of each drain, one at a time of what
/// each channel may get, and no two within a second. Thread-safe; shared with the tests under way.
class DrainTests : public std::enable_shared_from_this<DrainTests> {
 public:
  explicit DrainTests(WebServices& services) : services_(services) {}

  /// `:c` and `:d` name the drain, whatever its state. The answer is the report, 200 however it went.
  asio::awaitable<void> run(HttpExchange& exchange);
  /// `:c` names the channel, the body says what the drain would be, as if to add it. Nothing is added.
  asio::awaitable<void> run_wanted(HttpExchange& exchange);

 private:
  class Test;
  struct Begun {
    std::shared_ptr<Test> test;  // null: there can be none now
    HttpResponse refusal;
  };
  using Begin = Begun (DrainTests::*)(const HttpRequest&);
  /// They judge the drain, which may take a while: on a thread that may block.
  Begun begin(const HttpRequest& request);
  Begun begin_wanted(const HttpRequest& request);
  /// Takes the turn of `what`, unless another test has it.
  Begun take_turn(const std::string& what, const std::string& token, JudgedTarget judged);
  void end(const std::string& what);
  static asio::awaitable<void> run(std::shared_ptr<DrainTests> self, Begin begin, HttpExchange& exchange);

  WebServices& services_;
  std::mutex mutex_;
  std::map<std::string, Mono> tests_;  // by what is tested: until when no other may begin; guarded by mutex_
};

}  // namespace tailrace
