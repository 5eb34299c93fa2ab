#pragma once
// Finds the frames in a run of bytes: octet counting and newline framing, told apart per frame (RFC
// 6587 3.4). Nothing is copied and nothing allocated; a frame is a view of the bytes.

#include <cstddef>
#include <string_view>

#include "ingest/reason.h"

namespace tailrace {

inline constexpr size_t kMaxFrame = 1 << 20;  // of a stream, in either framing

/// What stands at the beginning of the bytes.
struct Scanned {
  enum class Kind : uint8_t {
    frame,     // `bytes` is the frame without its framing
    nothing,   // bytes that stand for no record: an empty line, or the rest of one rejected before
    rejected,  // one record that is none, for `reason`
    more,      // cannot be told yet, or is not whole
  };
  Kind kind;
  std::string_view bytes;
  size_t consumed = 0;  // 0 only for `more`
  RejectReason reason{};
  size_t needed = 0;  // for `more`: how many bytes there must be before another look is worth it, if known
};

/// A TCP or TLS stream. A count counts only where `<` follows its space; anything else is a line. Keeps one
/// bit of state: whether it is skipping the rest of a line that was too long.
class StreamScanner {
 public:
  Scanned next(std::string_view bytes);

 private:
  bool skipping_ = false;
};

/// A whole application/logplex-1 body. A count needs no `<` behind it; what is no count is one rejected
/// record up to the next newline; what follows the last whole frame is one rejected record. Never gives
/// `more`.
Scanned next_in_body(std::string_view body);

/// A whole body of lines, text/plain or application/x-ndjson: each is a frame, an empty one `nothing`.
/// `\n` or `\r\n` ends a line, and the end of the body the last. Never gives `more`.
Scanned next_line(std::string_view body);

}  // namespace tailrace
