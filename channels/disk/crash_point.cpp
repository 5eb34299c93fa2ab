#include "channels/disk/crash_point.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace tailrace {
namespace crash_point_detail {
namespace {

std::string the_name;  // written once, before the first thread
std::atomic<uint64_t> times_left{0};

}  // namespace

std::atomic<bool> armed{false};

void reached(const char* name) {
  if (the_name == name && times_left.fetch_sub(1, std::memory_order_relaxed) == 1) ::_exit(137);
}

}  // namespace crash_point_detail

void arm_crash_point() {
  using namespace crash_point_detail;
  const char* const asked = std::getenv("TAILRACE_CRASHPOINT");
  if (!asked || !*asked) return;
  const std::string_view text = asked;
  const size_t colon = text.find(':');
  the_name = text.substr(0, colon);
  uint64_t times = 1;
  if (colon != std::string_view::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), times);
  times_left.store(times, std::memory_order_relaxed);
  armed.store(true, std::memory_order_relaxed);
}

}  // namespace tailrace
