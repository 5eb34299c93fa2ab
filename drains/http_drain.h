#pragma once
// A drain that POSTs logplex-1 bodies.

#include <deque>

#include "base/backoff.h"
#include "drains/drain.h"
#include "drains/frames.h"
#include "drains/target.h"

namespace tailrace {

/// One request in flight. A batch is frozen from its first try: the same records, L10 frame and frame id
/// until the far end has taken or refused it; after a restart the same records and frame id (but for halves,
/// of which those that were left are one again). So a batch is sent when all of it has been read, however
/// often a disk must be waited for meanwhile. What an answer means:
///
///   2xx                  delivered
///   400, 413, 422        halved until the record that is refused is alone; that one is dropped
///   401, 403, 404, 410   paused; probed every few minutes
///   429, 503             the same again after Retry-After, or back-off
///   anything else        the same again after back-off
class HttpDrain final : public Drain {
 public:
  HttpDrain(Loop& loop, const DrainEntry& entry, DrainTarget target, DrainServices services);

  void start() override;

 private:
  struct Batch {
    std::vector<Slice> slices;  // pinned until it is settled
    uint64_t records = 0;       // 0: the L10 frame goes alone
    Loss loss;                  // told by its first frame, if any
    std::string l10;            // that frame
    std::string frame_id;
  };

  void shut() override;
  void turn() override;
  void run_task() override;

  static asio::awaitable<void> run(std::shared_ptr<HttpDrain> self);
  asio::awaitable<std::chrono::milliseconds> send_batch();
  asio::awaitable<void> wait_for_records();
  asio::awaitable<void> wait(std::chrono::milliseconds time);

  bool gather();
  bool freeze_batch();
  void name(Batch& batch) const;
  std::string head_of(const Batch& batch, size_t body_size) const;
  static std::string body_of(const Batch& batch);

  std::chrono::milliseconds judge(const NetResult<HttpAnswer>& answer);
  void settle_batch();
  void halve_batch();
  void refuse_one();
  Micros oldest_in_flight() const;

  const DrainTarget target_;
  HttpClient client_;
  Batch gathered_;             // what was read of the next one
  bool unfinished_ = false;    // and more belongs to it, whatever its size
  std::deque<Batch> batches_;  // the first is in flight; more only after halving
  asio::steady_timer wake_;
  bool idle_ = false, running_ = false;
  Backoff backoff_;
  int lone_refusals_ = 0;  // since the last 2xx
};

}  // namespace tailrace
