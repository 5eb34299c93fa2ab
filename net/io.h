#pragma once

#include <cstdint>

namespace tailrace {

/// How a read, a write or a wait ended.
enum class Io : uint8_t {
  ok,
  again,    // nothing without waiting
  end,      // the far end closed, or the connection broke
  late,     // the deadline passed
  stopped,  // interrupt() was called
};

}  // namespace tailrace
