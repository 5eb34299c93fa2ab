#pragma once
// Long messages in pieces.

#include <string_view>

#include "channels/batch.h"

namespace tailrace {

/// Whether a message goes as one record: `most` bytes and perhaps a newline behind them.
inline bool fits(std::string_view message, size_t most) {
  return message.size() <= most || (message.size() == most + 1 && message.back() == '\n');
}

/// How much of `message`, which is longer than `most`, the next piece takes: `most`, less so as not to cut a
/// UTF-8 sequence (RFC 3629), unless the bytes are no UTF-8 anyway. `most` is 4 at least.
inline size_t piece_size(std::string_view message, size_t most) {
  const auto continues = [&](size_t at) { return (uint8_t(message[at]) & 0xc0) == 0x80; };
  size_t size = most;
  for (int back = 0; back < 3 && continues(size); ++back) --size;
  return continues(size) ? most : size;
}

/// use(NewRecord) for each piece, in order; one that fits is its only one. Pieces but the first say so.
template <class F>
void in_pieces(NewRecord record, size_t most, F&& use) {
  while (!fits(record.message, most)) {
    NewRecord piece = record;
    piece.message = record.message.substr(0, piece_size(record.message, most));
    use(piece);
    record.message.remove_prefix(piece.message.size());
    record.flags |= kSplitEntry;
  }
  use(record);
}

}  // namespace tailrace
