#pragma once
// Waits for a condition, never for a time.

#include <poll.h>

namespace tailrace::testing {

/// Looks every millisecond until `ready()` is true; false if that takes more than `seconds`.
template <class F>
bool eventually(F&& ready, int seconds = 20) {
  for (int i = 0; i < seconds * 1000; ++i) {
    if (ready()) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

/// Between two bytes of a peer that is slow on purpose; nothing waits for it.
inline void drip() {
  ::poll(nullptr, 0, 5);
}

}  // namespace tailrace::testing
