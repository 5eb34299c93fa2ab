#pragma once
// What a sink has taken, and when: counted, verified, and kept for its plot.

#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/sketch.h"
#include "cli/sequence_check.h"
#include "cli/sink_timeline.h"

namespace tailrace {

struct SinkCounts {
  uint64_t received = 0;  // frames taken: read (syslog), or answered 2xx (HTTP)
  uint64_t bytes = 0;     // of these frames
  uint64_t unique = 0;    // different numbers among them (`seq=CCCC-N` or `seq=N`)
  uint64_t missing = 0;   // holes between lowest and highest, per source
  uint64_t repeated = 0;
  uint64_t reordered = 0;
  uint64_t unnumbered = 0;   // router notices among them
  uint64_t notices = 0;      // frames that are an L10 of the router
  uint64_t requests = 0;     // HTTP, whole ones
  uint64_t turned_away = 0;  // HTTP requests not answered 2xx, connections closed at once
  uint64_t abandoned = 0;    // HTTP requests whose sender was gone before the answer; not counted as taken
  uint64_t repeated_requests = 0;  // HTTP requests taken again under the same Logplex-Frame-Id
  uint64_t connections = 0;
  uint64_t failed_handshakes = 0;
  uint64_t malformed = 0;  // connections or bodies that made no sense
  // Seconds from a record's own time to its arrival; within 1 %.
  double lag_p50 = 0, lag_p99 = 0, lag_most = 0;
};

/// Thread-safe.
class SinkAccount {
 public:
  SinkAccount() : timeline_(mono_now()) {}

  void count(uint64_t SinkCounts::* what);
  void take(std::string_view frame);
  /// A request was answered 2xx; its frames are taken one by one.
  void take_request(const std::string& frame_id);
  void behaves(const SinkBehaviour& how);

  SinkCounts counts() const;
  SinkTimeline timeline() const;

 private:
  mutable std::mutex mutex_;
  SinkCounts counted_;
  SequenceCheck numbers_;
  Sketch lags_;
  SinkTimeline timeline_;
  std::set<std::string> frame_ids_;
  std::deque<std::set<std::string>::iterator> oldest_ids_;  // bounded
};

}  // namespace tailrace
