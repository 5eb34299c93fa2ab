#include "base/log.h"

#include <unistd.h>

#include "base/time_text.h"

namespace tailrace {
namespace {

void write_line(const char* level, std::string_view message, std::string_view fields) {
  std::string line = "time=" + rfc3339_json(wall_now()) + " level=" + level + " msg=\"";
  for (const char c : message) {
    if (c == '"' || c == '\\') line += '\\';
    line += uint8_t(c) < 0x20 ? ' ' : c;
  }
  line += '"';
  if (!fields.empty()) (line += ' ') += fields;
  line += '\n';
  // One write, so that lines of two threads never mix; nobody to tell if it fails.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

void log_info(std::string_view message, std::string_view fields) {
  write_line("info", message, fields);
}
void log_warn(std::string_view message, std::string_view fields) {
  write_line("warn", message, fields);
}
void log_error(std::string_view message, std::string_view fields) {
  write_line("error", message, fields);
}

uint64_t OncePerSecond::due(Mono now) {
  held_.fetch_add(1, std::memory_order_relaxed);
  const int64_t tick = now.time_since_epoch().count();
  int64_t next = next_.load(std::memory_order_relaxed);
  if (tick < next) return 0;
  const int64_t second = std::chrono::steady_clock::duration(std::chrono::seconds(1)).count();
  if (!next_.compare_exchange_strong(next, tick + second, std::memory_order_relaxed)) return 0;
  return held_.exchange(0, std::memory_order_relaxed);
}

}  // namespace tailrace
