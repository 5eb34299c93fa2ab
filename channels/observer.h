#pragma once
// What sees every batch once, when its positions are known (architecture, rule 6).

#include <span>

#include "channels/chunk.h"

namespace tailrace {

struct Channel;

/// Called on the thread that learnt the positions (with the memory store: the appending loop), outside every
/// lock of the log, in the log's order per thread but not between threads. The slices are warm in the cache.
/// Must not block; may not append.
class AppendObserver {
 public:
  virtual ~AppendObserver() = default;
  virtual void appended(const Channel& channel, std::span<const Slice> slices) = 0;
};

}  // namespace tailrace
