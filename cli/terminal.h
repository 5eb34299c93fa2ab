#pragma once
// The terminal as a screen to draw on, and given back as it was.

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace tailrace {

/// Takes the controlling terminal on stdin and stdout: the other screen, no cursor, keys as they come.
/// Whatever ends the process but SIGKILL gives it back. Blocks the signals that end or resize in the thread
/// that makes it and those that it starts later, so make it before them. One at a time.
class Terminal {
 public:
  /// None: stdin or stdout is no terminal.
  static bool is_there();
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Rows and columns; 24 by 80 if it does not say.
  std::pair<int, int> size() const;
  /// False: nobody has it any more.
  bool write(std::string_view bytes);

  struct Event {
    bool readable = false;  // keys have come
    bool resized = false;
    bool woken = false;  // by wake()
    int ended_by = 0;    // a signal that ends the process
    bool gone = false;   // the terminal hung up
  };
  Event wait(std::chrono::milliseconds most);
  /// From any thread: wait() returns.
  void wake();
  /// What has come; empty at its end.
  std::string_view read();

  /// Gives it back, stops the process, and takes it again when it goes on.
  void suspend();
  /// Gives it back for good, and lets signals come again; nothing may be written any more.
  void leave();

 private:
  void take();
  void give_back();

  termios before_{};
  sigset_t mask_before_{};
  bool left_ = false;
  int signals_ = -1, woken_ = -1;
  char keys_[1024];
};

}  // namespace tailrace
