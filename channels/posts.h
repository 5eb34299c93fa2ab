#pragma once
// POSTs whose verdict must survive, as a store keeps them.

#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace tailrace {

/// A POST with a frame id and what it was answered (contract section 3). What the verdict means is the
/// ingest's business; the store keeps it for five minutes, across a restart.
struct PostVerdict {
  std::array<uint8_t, 16> key{};  // of who sent it, its frame id and its body
  Micros arrival = 0;
  uint32_t accepted = 0;
  std::string rejected;  // logfmt, `truncated=1 malformed=2`; empty: none. 900 bytes at most
};

}  // namespace tailrace
