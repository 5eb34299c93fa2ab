#pragma once
// A drain that POSTs logplex-1 bodies.

#include <deque>

#include "drains/delivery.h"
#include "drains/drain.h"
#include "drains/http_request.h"
#include "drains/policy.h"
#include "drains/target.h"

namespace tailrace {

/// One request in flight. A batch is frozen from its first try: the same records, L10 frame and frame id
/// until the far end has taken or refused it; after a restart the same records and frame id (but for halves,
/// of which those that were left are one again). So a batch is sent when all of it has been read, however
/// often a disk must be waited for meanwhile. What an answer means is DeliveryPolicy's.
class HttpDrain final : public Drain {
 public:
  HttpDrain(Loop& loop, const DrainEntry& entry, JudgedTarget judged, DrainServices services);

  void start() override;

 private:
  using Milliseconds = std::chrono::milliseconds;

  void shut() override;
  void turn() override;
  void hurry() override;
  void run_task() override;
  void give_back_losses() override;

  static asio::awaitable<void> run(std::shared_ptr<HttpDrain> self);
  asio::awaitable<Milliseconds> send_batch();
  asio::awaitable<void> wait_for_records();
  asio::awaitable<void> wait(Milliseconds time);

  enum class Gathered : uint8_t { all_there_is, more_to_come, out_of_time };
  Gathered gather();
  bool freeze_batch();
  Milliseconds delay_left() const;

  Milliseconds carry_out(const Decision& decision, Micros began);
  void split_batch();
  void refuse_one(const std::string& cause);
  Micros oldest_in_flight() const;

  const DrainTarget target_;
  const DrainOptions options_;
  const DrainServices services_;
  const RequestMaker requests_;
  DeliveryPolicy policy_;
  HttpClient client_;

  Delivery gathered_;        // what was read of the next one
  uint64_t unwanted_ = 0;    // bytes among it that the filter does not want
  bool unfinished_ = false;  // and more belongs to it, whatever its size
  Mono gathering_since_{};
  bool full_ = false;             // the batch in flight was; who sends full ones catches up
  bool delaying_ = false;         // it waits for more, for a while
  std::deque<Delivery> batches_;  // the first is in flight; more only after splitting
  asio::steady_timer wake_;
  bool idle_ = false, running_ = false, hurried_ = false;
};

}  // namespace tailrace
