#pragma once
// The commands' HTTP client: the one place that includes cpp-httplib, with the bounds it lacks
// (docs/decisions/0001).

#include <boost/system/result.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/exit_code.h"

namespace tailrace {

struct ApiFailure {
  Exit exit_code = exit_failure;  // 401 and 403: unauthorised; 404: not found; no connection: unreachable
  int status = 0;                 // what the server said; 0: it said nothing
  std::string text;               // what, why and where, for stderr; never a credential
  std::string error = {};         // the server's own words; empty: it had none
};

template <class T>
using ApiResult = boost::system::result<T, ApiFailure>;

struct ApiAnswer {
  int status = 0;
  std::string body;
  std::string warning;  // X-Heroku-Warning
};

/// One origin, one user's credential. Used by one thread. Redirects are not followed; TLS is 1.2 and up,
/// verified against SSL_CERT_FILE or the system's authorities. Resolving a name takes as long as the system's
/// resolver does; everything after it is bounded.
class ApiClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  struct Options {
    std::string url;                             // `http://host[:port][/prefix]` or https
    std::string auth;                            // `user:password`; empty: none
    std::chrono::milliseconds deadline{15'000};  // from the call to the last byte of the answer
    size_t body_cap = 16u << 20;                 // a larger answer is a failure
  };
  explicit ApiClient(Options options) : options_(std::move(options)) {}

  /// `path` starts with `/` and may hold a query. An answer that is not 2xx is a failure; its text holds the
  /// `error` of a JSON body.
  ApiResult<ApiAnswer> get(const std::string& path);
  ApiResult<ApiAnswer> post(const std::string& path, std::string body, const std::string& content_type,
                            const Headers& headers = {});
  ApiResult<ApiAnswer> put(const std::string& path, std::string body, const std::string& content_type);
  ApiResult<ApiAnswer> remove(const std::string& path);  // DELETE

  struct Streaming {
    Headers headers{};
    std::function<void(const ApiAnswer& head)> begun{};  // the head of a 2xx is there
    std::function<bool(std::string_view)> chunk{};       // false: to stop, which is a success
    std::chrono::seconds silence = std::chrono::hours(24 * 7);
  };
  /// Streams the body of a GET. The deadline holds up to the answer's head; after it only a dead peer (TCP
  /// keep-alive, about a minute) or `silence` ends the stream.
  ApiResult<ApiAnswer> stream(const std::string& path, const Streaming& streaming);

 private:
  struct Call;
  ApiResult<ApiAnswer> run(Call call);

  Options options_;
};

struct SplitUrl {
  std::string origin;  // `http://host:port`
  std::string target;  // path and query; `/` if there is none
  std::string user, password;
};
/// None unless it is http or https with a host.
std::optional<SplitUrl> split_http_url(std::string_view url);

/// What result::value() throws without a value; found by the failure's namespace.
[[noreturn]] inline void throw_exception_from_error(const ApiFailure& failure,
                                                    const boost::source_location&) {
  throw std::runtime_error(failure.text);
}

}  // namespace tailrace
