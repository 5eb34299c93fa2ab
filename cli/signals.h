#pragma once
// SIGINT and SIGTERM as something to wait for, for commands that have something to say at the end; and
// SIGHUP, for those that have something to read again.

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

namespace tailrace {

/// Blocks its signals in the calling thread and all that it starts later; make it before them. Once SIGINT or
/// SIGTERM was taken, the next of either ends the process at once.
class StopSignals {
 public:
  enum class Hangup : uint8_t { ends, waited_for };
  /// What to do with those that the process was started to ignore.
  enum class Ignored : uint8_t { taken, left_alone };
  explicit StopSignals(Hangup hangup = Hangup::ends, Ignored ignored = Ignored::taken) {
    ::sigemptyset(&set_);
    if (hangup == Hangup::waited_for) ::sigaddset(&set_, SIGHUP);
    for (const int ending : {SIGINT, SIGTERM}) {
      struct sigaction now{};
      ::sigaction(ending, nullptr, &now);
      if (ignored == Ignored::taken || now.sa_handler != SIG_IGN) ::sigaddset(&set_, ending);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~StopSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// For a signalfd, by which a poll learns that there is one to take.
  const sigset_t& set() const { return set_; }

  /// The signal that came, or 0 after `most`.
  int wait(std::chrono::milliseconds most) {
    const timespec span{most.count() / 1000, most.count() % 1000 * 1'000'000};
    const int signal = ::sigtimedwait(&set_, nullptr, &span);
    if (signal <= 0) return 0;
    if (signal == SIGHUP) return signal;
    sigset_t next;
    ::sigemptyset(&next);
    for (const int ending : {SIGINT, SIGTERM}) {
      ::signal(ending, SIG_DFL);
      ::sigaddset(&next, ending);
    }
    ::pthread_sigmask(SIG_UNBLOCK, &next, nullptr);
    return signal;
  }

 private:
  sigset_t set_, before_;
};

}  // namespace tailrace
