#include "cli/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace tailrace {
namespace {

constexpr std::string_view enter_screen = "\x1b[?1049h\x1b[?25l",
                           leave_screen = "\x1b[0m\x1b[?25h\x1b[?1049l";
constexpr int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

termios to_restore;  // for the handler alone

/// Only what a signal handler may call.
void restore_and_die(int signal) {
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, leave_screen.data(), leave_screen.size());
  ::tcsetattr(STDIN_FILENO, TCSANOW, &to_restore);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

bool Terminal::is_there() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

Terminal::Terminal() {
  ::tcgetattr(STDIN_FILENO, &before_);
  to_restore = before_;
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : endings) ::sigaddset(&set, signal);
  ::sigaddset(&set, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  woken_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (const int signal : crashes) ::signal(signal, restore_and_die);
  take();
}

Terminal::~Terminal() {
  leave();
  ::close(signals_);
  ::close(woken_);
}

void Terminal::leave() {
  if (left_) return;
  left_ = true;
  give_back();
  for (const int signal : crashes) ::signal(signal, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Terminal::take() {
  termios raw = before_;
  raw.c_iflag &= ~tcflag_t(ICRNL | IXON | ISTRIP | INLCR | IGNCR);
  raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  // A background process waits here until it is in front.
  while (::tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0 && errno == EINTR) {
  }
  (void)write(enter_screen);
}

void Terminal::give_back() {
  (void)write(leave_screen);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::pair<int, int> Terminal::size() const {
  winsize size{};
  const bool told = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
  return told ? std::pair<int, int>(size.ws_row, size.ws_col) : std::pair(24, 80);
}

bool Terminal::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}

Terminal::Event Terminal::wait(std::chrono::milliseconds most) {
  Event event;
  pollfd all[] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}, {woken_, POLLIN, 0}};
  if (::poll(all, 3, int(most.count())) <= 0) return event;
  event.readable = all[0].revents & POLLIN;
  event.gone = !event.readable && (all[0].revents & (POLLHUP | POLLERR | POLLNVAL));
  signalfd_siginfo signal;
  while (::read(signals_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGWINCH)
      event.resized = true;
    else if (event.ended_by == 0)
      event.ended_by = int(signal.ssi_signo);
  }
  uint64_t count;
  event.woken = ::read(woken_, &count, sizeof count) == sizeof count;
  return event;
}

void Terminal::wake() {
  constexpr uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(woken_, &one, sizeof one);
}

std::string_view Terminal::read() {
  const ssize_t n = ::read(STDIN_FILENO, keys_, sizeof keys_);
  return {keys_, size_t(n > 0 ? n : 0)};
}

void Terminal::suspend() {
  give_back();
  ::raise(SIGTSTP);
  ::tcgetattr(STDIN_FILENO, &before_);
  take();
}

}  // namespace tailrace
