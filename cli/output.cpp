#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <thread>

#include "cli/exit_code.h"

namespace tailrace {

bool write_stdout(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(size_t(n));
  }
  return true;
}

void complain(std::string_view text) {
  const std::string line = "tailrace: " + std::string(text) + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void exit_when_stdout_closes() {
  std::thread([] {
    pollfd out{STDOUT_FILENO, 0, 0};
    while (::poll(&out, 1, -1) < 0 && errno == EINTR) {
    }
    if (out.revents & POLLERR) ::_exit(exit_ok);
  }).detach();
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
