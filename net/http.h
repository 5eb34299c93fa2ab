#pragma once
// HTTP/1.1 messages and the server's side of one exchange, without Beast: what the other folders include.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/loops.h"

namespace tailrace {

/// Header fields in order, names as sent.
class HttpFields {
 public:
  HttpFields() = default;
  HttpFields(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// The first field of that name, case ignored; empty if there is none.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  /// All fields of that name as one list (RFC 9110 section 5.3).
  std::string list(std::string_view name) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method;  // as sent: GET, POST, …
  std::string target;  // as sent, query included
  HttpFields headers;
  std::string body;  // whole, de-chunked; still compressed if Content-Encoding says so
  asio::ip::tcp::endpoint peer, local;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  /// The value of a query parameter, percent-decoded; empty if absent.
  std::string query(std::string_view name) const;
  /// Of one that is given several times, in order.
  std::vector<std::string> queries(std::string_view name) const;

  /// What the route's `:name` matched, percent-decoded; set by the router.
  std::vector<std::pair<std::string, std::string>> params;
  std::string_view param(std::string_view name) const;
};

/// Not an aggregate: g++ 12 copies the braces of an aggregate in a `co_await` expression bit by bit, and
/// frees twice.
struct HttpResponse {
  HttpResponse() = default;
  HttpResponse(int code, std::string type = {}, std::string text = {}, HttpFields further = {})
      : status(code), content_type(std::move(type)), body(std::move(text)), headers(std::move(further)) {}

  int status = 200;
  std::string content_type;  // none: no Content-Type field
  std::string body;
  HttpFields headers;  // further ones; Content-Length, Connection and Date are the server's
};

/// The server's side of one request, lent to the handler until its coroutine ends. Lives on one loop.
/// A handler calls respond() once, or begin_stream() once and then write() as often as it likes; one that
/// does neither is answered 500 for it.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  HttpRequest request;
  virtual Loop& loop() = 0;

  virtual asio::awaitable<void> respond(HttpResponse response) = 0;

  /// Sends the head of a response of unknown length (chunked, or until close towards HTTP/1.0).
  /// False: the peer is gone.
  virtual asio::awaitable<bool> begin_stream(int status, HttpFields headers) = 0;
  /// Sends bytes of the body. False: the peer is gone, or took nothing for 30 s.
  virtual asio::awaitable<bool> write(std::string_view bytes) = 0;
  /// Of what was written, how many bytes the far end's system has not acknowledged, about.
  virtual size_t unsent() const = 0;
  /// Ends the stream, once the handler is done, so that the peer knows that it is not whole.
  virtual void break_off() = 0;
  /// While streaming: `gone` is called once, on the loop, when the peer closes or resets or the server stops.
  /// A handler that waits for something else must wait no longer then. Cleared when the handler ends.
  virtual void on_gone(std::function<void()> gone) = 0;
};

using HttpHandler = std::function<asio::awaitable<void>(HttpExchange&)>;

/// Judges the head before a byte of the body is read; an answer ends the request there (401, 413, 415, 503).
using HttpGate = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

/// Adds fields to an answer's head, whoever answers.
using HttpStamp = std::function<void(const HttpRequest&, HttpFields&)>;

/// One listener's table of routes. Fixed before the first request; then read from every loop.
class HttpRoutes {
 public:
  /// `pattern` is a path such as `/v2/channels/:c/drains/:d`; a trailing slash in a request is ignored.
  /// `:name` matches one segment, percent-decoded.
  void add(std::string method, std::string pattern, HttpHandler handler, HttpGate gate = {});
  /// Judges every request before its route's own gate: authentication, origin.
  void set_gate(HttpGate gate) { gate_ = std::move(gate); }
  /// Of every answer to a request whose head was read, also of those that no route gave.
  void set_stamp(HttpStamp stamp) { stamp_ = std::move(stamp); }

  struct Route {
    std::string method, pattern;
    std::vector<std::string> segments;
    HttpHandler handler;
    HttpGate gate;
  };
  /// The route and `request.params`, or the answer: 404 for an unknown path, 405 with Allow for a known one.
  /// GET routes answer HEAD too, without a body.
  std::variant<const Route*, HttpResponse> find(HttpRequest& request) const;
  const HttpGate& gate() const { return gate_; }
  const HttpStamp& stamp() const { return stamp_; }
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
  HttpGate gate_;
  HttpStamp stamp_;
};

/// A JSON body with its type: `{"error":TEXT}`. The one shape of errors.
HttpResponse http_error(int status, std::string_view text);

}  // namespace tailrace
