#pragma once
// Looks at the router again and again, beside whoever draws.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cli/top_source.h"

namespace tailrace {

/// A thread that polls every two seconds, and at once when something else is wanted. Life: made → destroyed;
/// at its end it may wait for one answer, TopSource::kDeadline at most.
class TopPoller {
 public:
  static constexpr std::chrono::milliseconds kEvery{2000};

  /// `told` is called after each look, on the thread.
  TopPoller(TopSource& source, std::function<void(std::optional<ApiFailure>)> told)
      : source_(source), told_(std::move(told)), thread_([this] { run(); }) {}
  ~TopPoller();
  TopPoller(const TopPoller&) = delete;
  TopPoller& operator=(const TopPoller&) = delete;

  /// What is looked at from now on; `now`: without waiting for the next turn.
  void want(TopWanted wanted, bool now);
  void pause(bool paused);

 private:
  void run();

  TopSource& source_;
  const std::function<void(std::optional<ApiFailure>)> told_;
  std::mutex mutex_;
  std::condition_variable changed_;
  TopWanted wanted_;  // guarded by mutex_, as what follows
  bool stopping_ = false, paused_ = false, at_once_ = true;
  std::thread thread_;
};

}  // namespace tailrace
