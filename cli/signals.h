#pragma once
// SIGINT and SIGTERM as something to wait for, for commands that have something to say at the end.

#include <signal.h>

#include <cerrno>
#include <chrono>

namespace tailrace {

/// Blocks both signals in the calling thread and all that it starts later; make it before them. A second
/// signal of a kind that was taken already ends the process at once.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~StopSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that came, or 0 after `most`.
  int wait(std::chrono::milliseconds most) {
    const timespec span{most.count() / 1000, most.count() % 1000 * 1'000'000};
    const int signal = ::sigtimedwait(&set_, nullptr, &span);
    if (signal <= 0) return 0;
    ::signal(signal, SIG_DFL);
    sigset_t once;
    ::sigemptyset(&once);
    ::sigaddset(&once, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &once, nullptr);
    return signal;
  }

 private:
  sigset_t set_, before_;
};

}  // namespace tailrace
