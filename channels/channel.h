#pragma once
// A channel: one app's stream of records.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/rate_limit.h"

namespace tailrace {

class Log;

/// Shared by all that hold it; lives until the last holder lets go, also after its removal from the catalog.
/// Everything but `removed` and `rate` is fixed at creation.
struct Channel : std::enable_shared_from_this<Channel> {
  std::string id;      // the outside's name: "1", or free text through the v3 API
  std::string name;    // what people call it; may be empty
  uint32_t index = 0;  // dense, from 0, never used twice: for arrays kept per channel
  std::unique_ptr<Log> log;
  std::atomic<bool> removed{false};
  RateLimit rate;  // of records written to it

  Channel();
  ~Channel();
};
using ChannelPtr = std::shared_ptr<Channel>;

}  // namespace tailrace
