#pragma once
// The client towards drains: one keep-alive connection to one origin.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/client_tls.h"
#include "net/connector.h"
#include "net/failure.h"
#include "net/http_body.h"

namespace tailrace {

struct Origin {
  bool tls = false;
  std::string host;
  uint16_t port = 80;
};

struct HttpAnswer {
  int status = 0;
  std::chrono::seconds retry_after{0};  // of 429 and 503, seconds or HTTP date, at most an hour; 0: not said
};

/// The contract's deadlines and bounds (section 6).
struct HttpClientLimits {
  std::chrono::milliseconds handshake{5'000};
  std::chrono::milliseconds request{15'000};  // in total, from the first byte sent to the last byte needed
  std::chrono::milliseconds idle{120'000};    // a connection that is not used is closed
  std::chrono::milliseconds age{
      3'600'000};  // or, between two requests, one that is older; a tenth less at random
  size_t head_bytes = 16 * 1024;
  size_t body_bytes = 64 * 1024;
};

/// Lives on one loop and is used by one coroutine at a time. Connects when it must; honours `Connection:
/// close`; reads at most 16 KiB of head and 64 KiB of body of an answer and keeps nothing of the body;
/// follows no redirect. A broken keep-alive connection is no retry of its own: the caller decides.
class HttpClient {
 public:
  HttpClient(Loop& loop, Connector& connector, ClientTls tls, Origin origin, HttpClientLimits limits = {});
  ~HttpClient();

  /// Sends `head` (request line and fields, ending in an empty line) and what is left of `body` as they are,
  /// and reads the answer. Deadlines: connect 5 s, handshake 5 s, then 15 s in total. Both must outlive the
  /// call. An answer that comes before the request is sent counts, and ends the connection. One whose body is
  /// larger than the bound counts too; one that is cut off, by an end or by the deadline, does not.
  /// `steps`, if given, are those of the connection that had to be made.
  asio::awaitable<NetResult<HttpAnswer>> exchange(std::string_view head, HttpBody& body,
                                                  ConnectSteps* steps = nullptr);

  bool connected() const;
  /// Ends a call under way with NetErrc::stopped; the object can be used again.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with a call under way
};

}  // namespace tailrace
