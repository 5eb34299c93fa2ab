#pragma once
// What an answer of a far end means, how long to wait, and how large the next batch may be: the policy of
// docs/drains.md as a state machine without I/O.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "net/failure.h"
#include "net/http_client.h"

namespace tailrace {

/// What becomes of the batch in flight.
enum class Verdict : uint8_t {
  delivered,  // the far end took it
  split,      // it goes again in halves
  refused,    // it is one record, refused for good
  again,      // the same again after `wait`
  pause,      // the same again after `wait`, and the owner must act
};

struct Decision {
  Verdict verdict = Verdict::again;
  std::chrono::milliseconds wait{0};  // before the next request
  std::string cause;                  // in words; of a `refused` it is no trouble of the drain by itself
  bool failed = false;                // it is trouble
  NetErrc code = NetErrc::ok;         // and no answer's
};

/// A value of its drain's loop.
class DeliveryPolicy {
 public:
  static constexpr uint64_t kFirstBytes = 16 * 1024;
  static constexpr auto kProbe = std::chrono::minutes(3);
  static constexpr auto kQuick = std::chrono::seconds(1);    // an answer within it lets batches grow
  static constexpr auto kStable = std::chrono::seconds(10);  // who worked so long has earned a quick retry

  /// `most_bytes`: the drain's batch_bytes.
  explicit DeliveryPolicy(uint64_t most_bytes)
      : most_(most_bytes), cap_(most_bytes), target_(std::min(kFirstBytes, most_bytes)) {}

  /// What was sent.
  struct Sent {
    uint64_t frames = 0, records = 0;  // these differ by an L10 frame
    uint64_t bytes = 0;
    std::chrono::milliseconds took{0};  // until the answer
  };
  /// Judges what came of it.
  Decision judge(const NetResult<HttpAnswer>& answer, const Sent& sent, Mono now);

  /// Somebody says that the far end is well again: forgets back-off and pause.
  void forgive();

  /// How large the next batch may become. Slow start: it doubles with each full batch that is answered
  /// quickly, and begins anew after trouble. What was answered 413 is not tried again soon.
  uint64_t batch_bytes() const { return target_; }

 private:
  Decision fail(std::string cause, std::chrono::milliseconds told, Mono now);
  Decision delivered(const Sent& sent, Mono now);
  void too_large(uint64_t bytes);

  const uint64_t most_;
  uint64_t cap_, target_;
  int full_at_cap_ = 0;
  int lone_refusals_ = 0;  // since the last 2xx
  bool working_ = false, paused_ = false;
  Mono works_since_{};
  Backoff backoff_;
};

}  // namespace tailrace
