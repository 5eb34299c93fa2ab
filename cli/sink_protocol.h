#pragma once
// What a drain sends, taken apart by code that shares nothing with the router's own: syslog frames and HTTP
// requests.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tailrace {

using OnFrame = std::function<void(std::string_view frame)>;

/// A syslog stream, octet-counted or newline-framed, told apart per frame (RFC 6587). Bytes in, frames out.
class FrameReader {
 public:
  /// False: the stream makes no sense (a frame over 1 MiB); nothing after it can be read.
  bool add(std::string_view bytes, const OnFrame& frame);
  /// Bytes of a frame that is not whole.
  size_t rest() const { return held_.size(); }

 private:
  std::string held_;
};

/// Octet-counted frames of a logplex-1 body; newline-framed ones are taken too. Returns the bytes left over.
size_t read_body_frames(std::string_view body, const OnFrame& frame);

/// The time that stands in a frame `<PRI>1 TIME …`; none if it is not RFC 3339.
std::optional<Micros> frame_time(std::string_view frame);

struct SinkRequest {
  std::string method, target, content_type, content_encoding, frame_id, body;
  bool keep_alive = true;
};

/// The body as it was before gzip or zstd, up to 64 MiB; as it is without an encoding. None: it is neither,
/// or too large.
std::optional<std::string> decoded_body(const SinkRequest& request);

/// An HTTP/1.1 connection: bytes in, whole requests out. Head 16 KiB, body 16 MiB, Content-Length or chunked.
class RequestReader {
 public:
  void add(std::string_view bytes) { held_ += bytes; }
  /// The next whole request; none yet if there is none. Call it until then.
  std::optional<SinkRequest> next();
  /// Between two requests.
  bool idle() const { return held_.empty() && !request_; }
  /// The connection makes no sense and must be closed.
  bool broken() const { return broken_; }
  /// The peer waits for `100 Continue`; true once per request.
  bool wants_continue();

 private:
  bool read_head(std::string_view head);
  bool read_chunks();

  std::string held_;
  std::optional<SinkRequest> request_;  // its head is read
  uint64_t length_ = 0;
  bool chunked_ = false, broken_ = false, wants_continue_ = false;
};

}  // namespace tailrace
