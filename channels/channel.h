#pragma once
// A channel: one app's stream of records.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/rate_limit.h"

namespace tailrace {

class Log;

/// Shared by all that hold it; lives until the last holder lets go, also after its removal from the catalog.
/// Everything but its name, its flags, `removed` and `rate` is fixed at creation.
struct Channel : std::enable_shared_from_this<Channel> {
  std::string id;      // the outside's name: "1", or free text through the v3 API
  uint32_t index = 0;  // dense, from 0, never used twice: for arrays kept per channel
  std::unique_ptr<Log> log;
  std::atomic<bool> removed{false};
  std::atomic<bool> no_tail{false};     // readers may not follow it
  std::atomic<bool> no_history{false};  // readers are shown nothing of before
  RateLimit rate;                       // of records written to it

  Channel();
  ~Channel();

  /// What people call it; may be empty. Any thread.
  std::string name() const;
  void set_name(std::string name);

 private:
  mutable std::mutex name_mutex_;
  std::string name_;  // guarded by name_mutex_
};
using ChannelPtr = std::shared_ptr<Channel>;

}  // namespace tailrace
