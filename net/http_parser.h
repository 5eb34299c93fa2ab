#pragma once
// HTTP/1.1 messages from bytes, strictly (RFC 9112). Beast parses; what it lets through is refused here.

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "base/budget.h"
#include "net/http.h"
#include "net/http_server.h"

namespace tailrace {

/// What is wrong with a request: the status and the words of its answer.
struct HttpFault {
  int status = 0;
  std::string_view text;
};

/// One request. Bytes may come in any pieces; what follows the request is not taken.
///
/// Refused beyond what Beast refuses: bare CR or LF, folded fields, a Content-Length that is a list, comes
/// twice or next to Transfer-Encoding, a transfer coding other than one `chunked` (any at all in HTTP/1.0), a
/// missing, doubled or malformed Host, a target that is neither a path, `*` nor this host's absolute form,
/// long or odd chunk extensions.
class HttpRequestParser {
 public:
  /// `limits` and `into` outlive the parser.
  HttpRequestParser(const HttpLimits& limits, HttpRequest& into);
  ~HttpRequestParser();

  /// Takes bytes of the head; `bytes` begins with what was not taken before, and a head is taken at once.
  /// Returns how many were taken.
  size_t feed_head(std::string_view bytes);
  bool head_done() const;

  /// After the head.
  bool has_body() const;
  bool http11() const;
  bool keep_alive() const;
  bool expects_continue() const;

  /// Says yes to the body: from here on it takes its size from `budget`, until the parser goes. 413 or 503
  /// are faults.
  bool admit_body(Budget& budget);
  /// The body is read and thrown away, still within the limit.
  void ignore_body();
  /// Takes bytes of the body; returns how many.
  size_t feed_body(std::string_view bytes);
  /// Nobody needs the body any more: gives back what it took.
  void drop_body();
  bool done() const;

  /// Set once the request is refused; nothing more can be fed then.
  const std::optional<HttpFault>& fault() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One answer of a far end: its status, and when it wants to be asked again. 1xx answers are skipped.
class HttpAnswerParser {
 public:
  struct Bounds {
    size_t head_bytes = 16 * 1024;
    size_t body_bytes = 64 * 1024;
    int interim_answers = 16;
  };
  explicit HttpAnswerParser(Bounds bounds);
  HttpAnswerParser() : HttpAnswerParser(Bounds{}) {}
  ~HttpAnswerParser();

  /// Takes all bytes there are, until it is settled or bad.
  void feed(std::string_view bytes);
  /// The far end closed: settles an answer whose body runs until then. False: it was cut off.
  bool feed_end();

  /// Nothing more is needed: the answer is whole, or its body is larger than what is read.
  bool settled() const;
  bool bad() const;
  bool started() const;
  /// Another answer may follow on the connection.
  bool keep_alive() const;
  int status() const;
  std::chrono::seconds retry_after() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Seconds, or an HTTP date relative to now; 0 for anything else, at most an hour.
std::chrono::seconds parse_retry_after(std::string_view text);

}  // namespace tailrace
