#include "cli/api_client.h"

#include <httplib.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "base/time_text.h"

namespace tailrace {
namespace {

// httplib's timeouts count per read: a peer that sends a byte a second holds it for ever. This thread ends
// the call from outside at its total deadline, unless it was disarmed.
class Watchdog {
 public:
  Watchdog(httplib::Client& client, std::chrono::milliseconds deadline)
      : thread_([this, &client, end = std::chrono::steady_clock::now() + deadline] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_until(lock, end, [this] { return disarmed_; })) return;
          expired_ = true;
          // Again and again: a stop() between two steps of the client has no effect.
          do {
            client.stop();
          } while (!changed_.wait_for(lock, std::chrono::milliseconds(20), [this] { return disarmed_; }));
        }) {}
  ~Watchdog() {
    disarm();
    thread_.join();
  }
  void disarm() {
    std::lock_guard lock(mutex_);
    disarmed_ = true;
    changed_.notify_all();
  }
  bool expired() {
    std::lock_guard lock(mutex_);
    return expired_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool disarmed_ = false, expired_ = false;
  std::thread thread_;
};

std::string error_of(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) {
    const auto error = json.find("error");
    if (error != json.end() && error->is_string()) return *error;
  }
  return {};
}

Exit exit_for_status(int status) {
  if (status == 401 || status == 403) return exit_unauthorised;
  return status == 404 ? exit_not_found : exit_failure;
}

std::string words(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "cannot connect";
    case httplib::Error::ConnectionTimeout:
      return "no connection in time";
    case httplib::Error::Read:
      return "the connection broke while reading";
    case httplib::Error::Write:
      return "the connection broke while writing";
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not trusted";
    default:
      return httplib::to_string(error);
  }
}

void keep_alive_probes(socket_t socket) {
  const int on = 1, idle = 30, every = 10, tries = 3;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
}

}  // namespace

struct ApiClient::Call {
  std::string method, path, body, content_type;
  Headers headers;
  const Streaming* streaming = nullptr;  // set: the body of a 2xx streams
};

ApiResult<ApiAnswer> ApiClient::get(const std::string& path) {
  Call call;
  call.method = "GET", call.path = path;
  return run(std::move(call));
}

ApiResult<ApiAnswer> ApiClient::post(const std::string& path, std::string body,
                                     const std::string& content_type, const Headers& headers) {
  Call call;
  call.method = "POST", call.path = path, call.body = std::move(body), call.content_type = content_type;
  call.headers = headers;
  return run(std::move(call));
}

ApiResult<ApiAnswer> ApiClient::put(const std::string& path, std::string body,
                                    const std::string& content_type) {
  Call call;
  call.method = "PUT", call.path = path, call.body = std::move(body), call.content_type = content_type;
  return run(std::move(call));
}

ApiResult<ApiAnswer> ApiClient::remove(const std::string& path) {
  Call call;
  call.method = "DELETE", call.path = path;
  return run(std::move(call));
}

ApiResult<ApiAnswer> ApiClient::stream(const std::string& path, const Streaming& streaming) {
  Call call;
  call.method = "GET", call.path = path, call.headers = streaming.headers, call.streaming = &streaming;
  return run(std::move(call));
}

ApiResult<ApiAnswer> ApiClient::run(Call call) {
  const auto url = split_http_url(options_.url);
  if (!url) return ApiFailure{exit_usage, 0, "not an http:// or https:// URL"};
  const std::string prefix = url->target == "/" ? "" : url->target;
  const std::string where = url->origin + prefix + call.path.substr(0, call.path.find('?'));

  httplib::Client client(url->origin);
  if (!client.is_valid()) return ApiFailure{exit_unreachable, 0, url->origin + ": not usable"};
  client.set_connection_timeout(
      std::min<std::chrono::milliseconds>(options_.deadline, std::chrono::seconds(5)));
  // The watchdog comes first; these are for what it cannot see.
  const auto beyond = options_.deadline + std::chrono::seconds(5);
  client.set_read_timeout(call.streaming ? std::chrono::milliseconds(call.streaming->silence) : beyond);
  client.set_write_timeout(beyond);
  client.set_follow_location(false);
  client.set_tcp_nodelay(true);
  client.set_socket_options(keep_alive_probes);
  if (SSL_CTX* tls = client.ssl_context()) SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);

  httplib::Request request;
  request.method = call.method;
  request.path = prefix + call.path;
  request.body = std::move(call.body);
  if (!call.content_type.empty()) request.headers.emplace("Content-Type", call.content_type);
  if (!options_.auth.empty()) request.headers.emplace("Authorization", "Basic " + to_base64(options_.auth));
  for (const auto& [name, value] : call.headers) request.headers.emplace(name, value);

  ApiAnswer answer;
  bool too_large = false, stopped = false;
  Watchdog watchdog(client, options_.deadline);
  request.response_handler = [&](const httplib::Response& head) {
    answer.status = head.status;
    answer.warning = head.get_header_value("X-Heroku-Warning");
    if (!call.streaming || head.status / 100 != 2) return true;
    watchdog.disarm();
    if (call.streaming->begun) call.streaming->begun(answer);
    return true;
  };
  request.content_receiver = [&](const char* bytes, size_t length, uint64_t, uint64_t) {
    if (call.streaming && answer.status / 100 == 2) {
      stopped = !call.streaming->chunk(std::string_view(bytes, length));
      return !stopped;
    }
    too_large = answer.body.size() + length > options_.body_cap;
    if (!too_large) answer.body.append(bytes, length);
    return !too_large;
  };
  const auto result = client.send(request);
  watchdog.disarm();
  if (result) answer.status = result->status;  // httplib calls no handler for a 204

  if (watchdog.expired()) {
    return ApiFailure{exit_unreachable, 0,
                      where + ": no whole answer within " + duration_text(options_.deadline)};
  }
  if (too_large) return ApiFailure{exit_failure, answer.status, where + ": the answer is too large"};
  if (!result && !stopped) {
    const bool connected = result.error() != httplib::Error::Connection &&
                           result.error() != httplib::Error::ConnectionTimeout &&
                           result.error() != httplib::Error::SSLConnection &&
                           result.error() != httplib::Error::SSLServerVerification;
    return ApiFailure{connected ? exit_failure : exit_unreachable, 0, where + ": " + words(result.error())};
  }
  if (answer.status / 100 != 2) {
    const std::string error = error_of(answer.body);
    return ApiFailure{exit_for_status(answer.status), answer.status,
                      where + ": " + std::to_string(answer.status) + (error.empty() ? "" : " " + error),
                      error};
  }
  return answer;
}

std::optional<SplitUrl> split_http_url(std::string_view url) {
  SplitUrl out;
  const size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (!scheme) return std::nullopt;
  for (const char c : url) {
    if (uint8_t(c) <= 0x20 || c == 0x7f || c == '\\') return std::nullopt;
  }
  const size_t end = std::min(url.find_first_of("/?#", scheme), url.size());
  std::string_view authority = url.substr(scheme, end - scheme);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const size_t colon = user.find(':');
    out.user = percent_decoded(user.substr(0, colon));
    if (colon != std::string_view::npos) out.password = percent_decoded(user.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  if (authority.empty() || authority.front() == ':') return std::nullopt;
  out.origin = std::string(url.substr(0, scheme)) + std::string(authority);
  out.target = url.substr(end, url.find('#') == std::string_view::npos ? url.npos : url.find('#') - end);
  if (!out.target.starts_with('/')) out.target.insert(0, "/");
  while (out.target.size() > 1 && out.target.ends_with('/')) out.target.pop_back();
  return out;
}

}  // namespace tailrace
