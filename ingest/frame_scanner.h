#pragma once
// Finds the frames in a run of bytes: octet counting and newline framing, told apart per frame (RFC
// 6587 3.4). Nothing is copied and nothing allocated; a frame is a view of the bytes.

#include <cstddef>
#include <string_view>

#include "ingest/reason.h"

namespace tailrace {

inline constexpr size_t kMaxFrame = 1 << 20;  // of a stream, in either framing, and of a line of ndjson

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

/// A TCP or TLS stream. A count counts only where `<` follows its space; anything else is a line. Keeps no
/// bytes, but whether it is behind one that was too long. The rest of a line ends with the line. The rest of
/// a counted frame ends where the count says, or at a newline that a frame seems to follow: octet-counted
/// streams may never have a newline, and counts may lie.
class StreamScanner {
 public:
  Scanned next(std::string_view bytes);

 private:
  size_t skip(std::string_view bytes);

  size_t skip_ = 0;             // bytes left of what was rejected; SIZE_MAX: not known
  bool any_newline_ = false;    // the next newline is its end
  bool after_newline_ = false;  // the last byte was a newline within it
};

/// A whole application/logplex-1 body. A count needs no `<` behind it; what is no count is one rejected
/// record up to the next newline; what follows the last whole frame is one rejected record. Never gives
/// `more`.
Scanned next_in_body(std::string_view body);

/// A whole body of lines, text/plain or application/x-ndjson: each is a frame, an empty one `nothing`.
/// `\n` or `\r\n` ends a line, and the end of the body the last. Never gives `more`.
Scanned next_line(std::string_view body);

}  // namespace tailrace
