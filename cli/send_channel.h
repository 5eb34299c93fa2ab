#pragma once
// The channel of `tailrace send`: one log in memory, and one HTTP drain.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/loops.h"
#include "channels/memory_log.h"
#include "drains/drain_set.h"

namespace tailrace {

/// A channel of one, which no catalog knows. Made, used and stopped by one thread; it has a loop of its own
/// for the drain.
class SendChannel {
 public:
  struct Options {
    JudgedTarget far_end;
    uint64_t buffer = 8u << 20;  // what waits for the far end: memory, about
    std::string ca_file;         // empty: the system's
    std::string name_servers;    // empty: the system's
    /// What the drain has to say of its far end, `failing since T: CAUSE`. The loop's thread.
    std::function<void(std::string_view)> tell;
  };
  /// Throws if the authorities cannot be read.
  explicit SendChannel(Options options);
  ~SendChannel();

  const ChannelPtr& channel() { return channel_; }
  /// Behind what is there; what the buffer has no room for goes first, the oldest, and is counted.
  void append(const Batch& batch);
  /// Whether a batch of SendInput's can be appended so that nothing goes which the drain has not read.
  bool has_room();

  DrainSet::Account account() const { return *drains_.account(entry_); }
  /// Nothing is left to send, and nothing to tell.
  bool settled() const;
  /// No more comes: what waits goes now, and what failed is tried again at once.
  void hurry();

  /// What a notice of the drain's says, without its time and name.
  static std::string_view words_of(std::string_view notice, std::string_view drain_token);

 private:
  class SendLog;

  EventLoops loops_{1};
  Connector connector_;
  ClientTls tls_;
  MemoryPressure pressure_;
  const uint64_t buffer_;
  ChannelPtr channel_;  // before the drains, whose cursors are in its log
  DrainSet drains_;
  DrainEntry entry_;
};

}  // namespace tailrace
