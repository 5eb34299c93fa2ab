#include "cli/output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>

#include "cli/exit_code.h"

namespace tailrace {

namespace {

// Also where the descriptor does not block: it may be shared with somebody who likes it so.
bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd takes{file, POLLOUT, 0};
      ::poll(&takes, 1, -1);
      continue;
    }
    if (n <= 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}

}  // namespace

void open_standard_streams() {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file)
    if (::fcntl(file, F_GETFD) < 0 && errno == EBADF)
      // The lowest number that is free; in the direction that nobody uses.
      static_cast<void>(::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

bool write_stdout(std::string_view bytes) {
  return write_all(STDOUT_FILENO, bytes);
}

void write_stderr(std::string_view bytes) {
  static_cast<void>(write_all(STDERR_FILENO, bytes));
}

void complain(std::string_view text) {
  write_stderr("tailrace: " + std::string(text) + "\n");
}

void exit_when_stdout_closes() {
  std::thread([] {
    pollfd out{STDOUT_FILENO, 0, 0};
    while (::poll(&out, 1, -1) < 0 && errno == EINTR) {
    }
    if (out.revents & POLLERR) ::_exit(exit_ok);
  }).detach();
}

void exit_on_interrupt() {
  ::signal(SIGINT, [](int) { ::_exit(exit_interrupted); });
}

bool stdout_is_tty() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool use_color(ColorChoice choice) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return stdout_is_tty() && !(no_color && *no_color) && !(term && std::string_view(term) == "dumb");
}

}  // namespace tailrace
